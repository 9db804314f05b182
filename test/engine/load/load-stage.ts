// A deployment behind its ingress that the real program looks after, for tests under load: the repository, `graft run`,
// and when each container was told to end or ended.

import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import type { Readable } from 'node:stream'
import { fileURLToPath } from 'node:url'

import { engineClient } from '../../../src/demo/engine-address.ts'
import { haproxyImage } from '../../../src/demo/haproxy-image.ts'
import { defaultCacheFolder } from '../../../src/demo/host-system.ts'
import { setStage, type Seen, type Stage } from '../stage/stage.ts'
import type { LongEnd } from './client.ts'
import { ECHO_PORT, HTTP_PORT, SERVICE_IMAGE, serviceImage, type ServiceEnvironment } from './service-image.ts'

const main = fileURLToPath(new URL('../../../dist/main.js', import.meta.url))
export const INGRESS_IMAGE = 'graft-test/haproxy:1'

export interface LoadStage extends Stage {
  /** What `graft run` has said so far. */
  log(): string
  /** Waits until the containers are as `asked`, or throws with what graft said. */
  settled(asked: (seen: Record<string, Seen>) => boolean, patience?: number): Promise<Record<string, Seen>>
  /** Which of the ends came before the container of that generation was told to end or ended by itself. */
  early(ends: readonly LongEnd[]): readonly LongEnd[]
}

export interface LoadStageOptions {
  readonly engineUrl: string
  /** False where the test starts graft itself. */
  readonly daemon: boolean
}

export async function setLoadStage({ engineUrl, daemon }: LoadStageOptions): Promise<LoadStage> {
  const docker = engineClient(engineUrl)
  await haproxyImage(docker, { reference: INGRESS_IMAGE, folder: defaultCacheFolder(process.env) })
  await serviceImage(docker)
  const stage = await setStage({
    engineUrl,
    deployment: `ingress: {image: "${INGRESS_IMAGE}", generation: 1, ipv6: false}\n`,
  })
  const stopped = await watchEnds(stage)
  const running = daemon ? run(stage, engineUrl) : null
  return {
    ...stage,
    log: () => running?.log() ?? '',
    async settled(asked, patience = 30_000) {
      const until = Date.now() + patience
      for (;;) {
        const seen = await stage.containers()
        if (!Object.keys(seen).some((name) => /\.(next|prev)/.test(name)) && asked(seen)) return seen
        if (Date.now() > until)
          throw new Error(`not settled: ${JSON.stringify(seen, null, 1)}\n${running?.log().slice(-6000)}`)
        await new Promise((resolve) => setTimeout(resolve, 50))
      }
    },
    early: (ends) =>
      ends.filter(({ at, generation }) => {
        const since = stopped.ends.get(generation ?? '')
        return since === undefined || at < since - CLOCK_STEP
      }),
    async end() {
      await running?.stop()
      stopped.close()
      await stage.end()
    },
  }
}

/** Two processes read one clock; each rounds to a millisecond. */
const CLOCK_STEP = 2

/** When a container was first told to end, or ended; by the GENERATION in its environment, which each test makes unique. */
async function watchEnds(stage: Stage): Promise<{ ends: ReadonlyMap<string, number>; close(): void }> {
  const filters = { label: [`dev.graft.deployment=${stage.name}`], event: ['kill', 'die'], type: ['container'] }
  const events = (await stage.docker.getEvents({ filters: JSON.stringify(filters) })) as unknown as Readable
  const ends = new Map<string, number>()
  createInterface({ input: events }).on('line', (line) => {
    const { timeNano, Actor } = JSON.parse(line) as { timeNano: number; Actor: { Attributes: Record<string, string> } }
    const key = `${Actor.Attributes['dev.graft.leaf']}-${Actor.Attributes['dev.graft.generation']}`
    if (!ends.has(key)) ends.set(key, Math.floor(timeNano / 1e6))
  })
  events.on('error', () => undefined)
  return { ends, close: () => events.destroy() }
}

function run(stage: Stage, engineUrl: string): { log(): string; stop(): Promise<void> } {
  const options = ['--repo', stage.repo, '--state', join(stage.folder, 'daemon'), '--engine', engineUrl]
  const child = spawn(process.execPath, [main, 'run', '--poll', '1', '--allow-privileged', ...options], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, NO_COLOR: '1' },
  })
  let log = ''
  child.stdout.on('data', (chunk) => (log += String(chunk)))
  child.stderr.on('data', (chunk) => (log += String(chunk)))
  return {
    log: () => log,
    async stop() {
      if (child.exitCode !== null || child.signalCode !== null) return
      const exit = once(child, 'exit')
      child.kill('SIGTERM')
      await exit
    },
  }
}

export interface ServiceWish {
  readonly leaf: string
  readonly generation: number
  readonly http: number
  readonly echo?: number
  readonly environment?: Partial<ServiceEnvironment>
  readonly image?: string
  /** Further lines under `ports`. */
  readonly ports?: readonly string[]
  /** `update`, in YAML's flow form. */
  readonly update?: string
}

/** A leaf that runs the service. It answers with `LEAF-GENERATION`. */
export function serviceLeaf(wish: ServiceWish): string {
  const { leaf, generation, http, echo, environment = {}, image = SERVICE_IMAGE, ports = [], update } = wish
  const published = [`{target: ${HTTP_PORT}, published: ${http}, host_ip: 127.0.0.1, http: true}`]
  if (echo !== undefined) published.push(`{target: ${ECHO_PORT}, published: ${echo}, host_ip: 127.0.0.1}`)
  const variables = { GENERATION: `${leaf}-${generation}`, ...environment }
  return [
    `generation: ${generation}`,
    `image: ${image}`,
    `environment: ${JSON.stringify(variables)}`,
    `ports: [${[...published, ...ports].join(', ')}]`,
    `healthcheck: {http: {port: ${HTTP_PORT}, path: /health}, interval: 500ms, retries: 2}`,
    `update: ${update ?? '{drain: 1s}'}`,
    '',
  ].join('\n')
}
