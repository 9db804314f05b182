// The contract, part four: an ingress takes configurations, and keeps what it has where one is not taken.

import { describe, expect, it } from 'vitest'

import { IngressRejection, type Engine, type IngressConfig } from '../../../src/apply/engine.ts'
import type { PublishedPort, Spec } from '../../../src/desired/spec.ts'
import type { Tree } from '../../../src/desired/tree.ts'
import { freePort } from '../../../src/demo/free-port.ts'
import { CONFIG_PATH, renderIngress, SOCKET_FOLDER, SOCKET_PATH } from '../../../src/plan/ingress-config.ts'
import { faultOf, type ContractBench } from './contract-bench.ts'
import { leafOf, volumeWish } from './sample-tree.ts'

export const INGRESS_IMAGE = 'graft-test/haproxy:1'
/** Held by nobody else: each ingress container answers on an address of its own. */
export const CHECK_PORT = 1936

/** What the deployment's ingress asks of the engine. */
export function ingressSpec(): Partial<Spec> {
  return {
    image: INGRESS_IMAGE,
    user: '0',
    entrypoint: ['haproxy'],
    command: ['-W', '-db', '-f', CONFIG_PATH, '-x', SOCKET_PATH],
    networks: {},
    network_mode: 'host',
    init: false,
    cap_drop: ['ALL'],
    cap_add: ['KILL', 'NET_BIND_SERVICE', 'SETGID', 'SETUID'],
    mounts: [{ type: 'volume', source: 'ingress-sockets', target: SOCKET_FOLDER, read_only: false }] as Spec['mounts'],
    stop_signal: 'SIGUSR1',
    stop_grace_period: 3000,
  }
}

export function behindIngress(tree: Tree): Tree {
  const timeouts = { connect: 1000, tcp: 60_000, http: 10_000, keep_alive: 10_000 }
  const sockets = volumeWish(tree.name, 'ingress-sockets')
  return {
    ...tree,
    volumes: new Map([...tree.volumes, ['ingress-sockets', sockets]]),
    ingress: { leaf: 'ingress', checkPort: CHECK_PORT, ipv6: false, timeouts },
  }
}

/** `published` on the loopback address leads to 8080 of the container. */
export function ingressPort(published: number): PublishedPort {
  return { target: 8080, published, protocol: 'tcp', host_ip: '127.0.0.1', mode: 'ingress', http: true }
}

export const SERVE = ['sh', '-c', 'echo served > /tmp/index.html && exec httpd -f -p 8080 -h /tmp']

export async function rendered(engine: Engine, tree: Tree, id: string): Promise<IngressConfig> {
  return renderIngress(tree, await engine.observe(tree.name, []), id, new Set()).config
}

async function rejectionOf(work: Promise<unknown>): Promise<IngressRejection> {
  const error: unknown = await work.then(
    () => null,
    (reason: unknown) => reason,
  )
  if (!(error instanceof IngressRejection)) throw new Error('no rejection', { cause: error })
  return error
}

export function ingressContract(bench: ContractBench): void {
  const { engine, create, uniqueName } = bench
  const digest = (id: string) => engine().ingressDigest(id, CHECK_PORT)

  async function startIngress(name: string): Promise<{ id: string; tree: Tree; first: IngressConfig }> {
    const leaf = leafOf(name, ingressSpec())
    const tree = behindIngress(bench.tree(leaf))
    const wish = tree.volumes.get('ingress-sockets')
    if (wish !== undefined) await engine().createVolume(tree.name, wish)
    const { id } = await create(leaf)
    const first = await rendered(engine(), tree, id)
    await engine().putIngressConfig(id, first.text)
    await engine().start(id)
    await expect.poll(() => digest(id), { timeout: 5000 }).toBe(first.digest)
    return { id, tree, first }
  }

  describe('an ingress', () => {
    it('serves its first configuration, another one after it was loaded, and that one after a restart', async () => {
      const { id, tree, first } = await startIngress(uniqueName())
      const probed = await engine().probe(id, { kind: 'ingress', port: CHECK_PORT }, 2000)
      expect(probed).toEqual({ healthy: true, output: `serves configuration ${first.digest.slice(0, 12)}` })

      const port = ingressPort(await freePort())
      expect(await engine().knock(port, null, 1000)).toMatchObject({ healthy: false })
      const web = await create(leafOf('web', { command: SERVE, ports: [port] }))
      await engine().start(web.id)
      const next = await rendered(engine(), tree, id)
      expect(next.digest).not.toBe(first.digest)
      await engine().loadIngressConfig(id, next)
      expect(await digest(id)).toBe(next.digest)
      const http = { kind: 'http', port: 8080, path: '/', scheme: 'http', headers: {}, status: [[200, 200]] } as const
      await expect.poll(() => engine().knock(port, http, 1000)).toEqual({ healthy: true, output: 'HTTP 200' })
      expect(await engine().knock(port, null, 1000)).toMatchObject({ healthy: true })

      await engine().stop(id)
      expect(await digest(id)).toBeNull()
      expect((await engine().probe(id, { kind: 'ingress', port: CHECK_PORT }, 2000)).healthy).toBe(false)
      await engine().start(id)
      await expect.poll(() => digest(id), { timeout: 5000 }).toBe(next.digest)
      await engine().remove(web.id)
      await engine().remove(id)
      expect(await digest(id)).toBeNull()
    })

    it('names the line that is not taken, and goes on with what it had', async () => {
      const { id, tree, first } = await startIngress(uniqueName())
      const { text, ...rest } = await rendered(engine(), tree, id)
      const bad = text.replace('  uid 99', '  odd-keyword\n  uid 99')
      const line = bad.split('\n').indexOf('  odd-keyword') + 1
      const rejection = await rejectionOf(
        engine().loadIngressConfig(id, { ...rest, text: bad, digest: 'f'.repeat(64) }),
      )
      expect(rejection.lines).toEqual([line])
      expect(rejection.message).toContain(`[line ${line}]`)
      expect(await digest(id)).toBe(first.digest)
      await engine().stop(id)
      await engine().start(id)
      await expect.poll(() => digest(id), { timeout: 5000 }).toBe(first.digest)
      await engine().remove(id)
    })

    it('names the port that somebody else holds, and goes on with what it had', async () => {
      const { id, tree, first } = await startIngress(uniqueName())
      const published = await freePort()
      const held = { target: 8080, published, protocol: 'tcp', host_ip: '127.0.0.1', mode: 'host' } as const
      const holder = await create(leafOf(uniqueName(), { command: SERVE, ports: [held] }))
      await engine().start(holder.id)
      const web = await create(leafOf('web', { command: SERVE, ports: [ingressPort(published)] }))
      const next = await rendered(engine(), tree, id)
      const rejection = await rejectionOf(engine().loadIngressConfig(id, next))
      expect(next.text.split('\n')[(rejection.lines[0] ?? 0) - 1]).toBe(`  bind 127.0.0.1:${published}`)
      expect(rejection.message).toContain('cannot bind socket (Address already in use)')
      expect(await digest(id)).toBe(first.digest)

      await engine().remove(holder.id)
      await engine().loadIngressConfig(id, next)
      expect(await digest(id)).toBe(next.digest)
      for (const each of [web.id, id]) await engine().remove(each)
    })

    it('is a fault where it does not run', async () => {
      const { id, tree } = await startIngress(uniqueName())
      await engine().stop(id)
      const next = await rendered(engine(), tree, id)
      expect((await faultOf(engine().loadIngressConfig(id, next))).kind).toBe('engine')
      await engine().remove(id)
    })

    it('shows the ports it holds to other deployments', async () => {
      const published = await freePort()
      const web = await create(leafOf(uniqueName(), { ports: [ingressPort(published)] }))
      const seen = await engine().observe('somebody-else', [])
      expect(seen.foreignPorts).toContainEqual({
        protocol: 'tcp',
        published,
        host_ip: '127.0.0.1',
        holder: `${web.labels.leaf} of the deployment ${web.labels.deployment}`,
      })
      expect((await engine().observe(web.labels.deployment, [])).foreignPorts).not.toContainEqual(
        expect.objectContaining({ published }),
      )
      await engine().remove(web.id)
    })
  })
}
