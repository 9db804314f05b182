// The ingress's configuration: what it says for which containers, and that it is always the same for the same ones.

import fc from 'fast-check'
import { describe, expect, it } from 'vitest'

import type { Tree } from '../../../src/desired/tree.ts'
import { checkAddress } from '../../../src/plan/ingress-address.ts'
import { renderIngress } from '../../../src/plan/ingress-config.ts'
import type { Observed } from '../../../src/plan/observed.ts'
import { hostOf, leaf, treeOf } from './build.ts'

const INGRESS = 'ingress: {image: haproxy:1, generation: 1}\n'
const ID = 'a'.repeat(64)

/** What is behind the frontends, from the first one on, without the container's own check. */
function services(tree: Tree, observed: Observed, leftOut: ReadonlySet<string> = new Set()): string {
  const { text } = renderIngress(tree, observed, ID, leftOut).config
  const from = text.search(/^frontend /m)
  return text
    .slice(from, text.indexOf('frontend graft.check'))
    .replace(/\b172\.\d+\.\d+\.\d+|\b10\.\d+\.\d+\.\d+/g, 'ADDRESS')
}

describe('a service', () => {
  it('of plain TCP', async () => {
    const tree = treeOf({ web: leaf(1, 'ports: ["8080:80"]') }, INGRESS)
    const host = await hostOf(tree)
    await host.put(tree, 'web')
    expect(services(tree, await host.observe(tree))).toMatchInlineSnapshot(`
      "frontend web.8080
        mode tcp
        bind 0.0.0.0:8080
        bind [::]:8080 v6only
        option clitcpka
        default_backend web.8080
      backend web.8080
        mode tcp
        option srvtcpka
        server web ADDRESS:80
      "
    `)
  })

  it('of HTTP, on one address of each family, without IPv6 on all', async () => {
    const ports = [
      '{target: 80, published: 80, mode: ingress, http: true, host_ip: 127.0.0.1}',
      '{target: 80, published: 80, mode: ingress, http: true, host_ip: "::1"}',
      '{target: 81, published: 81, mode: ingress, proxy_protocol: true}',
    ]
    const tree = treeOf({ web: leaf(1, `ports: [${ports.join(', ')}]`) }, INGRESS.replace('}', ', ipv6: false}'))
    const host = await hostOf(tree)
    await host.put(tree, 'web')
    expect(services(tree, await host.observe(tree))).toMatchInlineSnapshot(`
      "frontend web.80
        mode http
        bind 127.0.0.1:80
        bind [::1]:80 v6only
        option idle-close-on-response
        timeout client 600000
        timeout http-request 60000
        timeout http-keep-alive 60000
        default_backend web.80
      backend web.80
        mode http
        option http-server-close
        http-reuse never
        timeout server 600000
        server current unix@/run/graft-ingress/web.80.sock send-proxy-v2
      frontend web.80.current
        mode http
        bind unix@/run/graft-ingress/web.80.sock mode 666 accept-proxy
        option forwardfor
        timeout client 600000
        timeout http-request 60000
        timeout http-keep-alive 60000
        default_backend web.80.current
      backend web.80.current
        mode http
        timeout server 600000
        retry-on conn-failure empty-response
        http-request disable-l7-retry unless { method GET HEAD OPTIONS }
        server web ADDRESS:80
      frontend web.81
        mode tcp
        bind 0.0.0.0:81
        option clitcpka
        default_backend web.81
      backend web.81
        mode tcp
        option srvtcpka
        server web ADDRESS:81 send-proxy-v2
      "
    `)
  })

  it('whose old container is still there has it for a stand-in', async () => {
    const before = treeOf({ web: leaf(1, 'ports: ["80:80"]') }, INGRESS)
    const after = treeOf({ web: leaf(2, 'ports: ["80:8080"]') }, INGRESS)
    const host = await hostOf(before)
    await host.put(before, 'web', { role: 'retired' })
    await host.put(after, 'web')
    const lines = services(after, await host.observe(after)).split('\n')
    expect(lines.filter((line) => line.includes('server web'))).toEqual([
      '  server web ADDRESS:8080 check inter 1s fastinter 100ms downinter 100ms fall 1 rise 1 observe layer4 error-limit 1 on-error mark-down',
      '  server web.prev ADDRESS:80 backup',
    ])
  })

  it('keeps its port while its container is down', async () => {
    const tree = treeOf({ web: leaf(1, 'ports: ["80:80"]') }, INGRESS)
    const host = await hostOf(tree)
    await host.put(tree, 'web', { state: 'stopped' })
    const text = services(tree, await host.observe(tree))
    expect(text).toContain('bind 0.0.0.0:80\n')
    expect(text).not.toContain('server web')
  })

  it('is what it was between two renames', async () => {
    const before = treeOf({ web: leaf(1, 'ports: ["80:80"]') }, INGRESS)
    const after = treeOf({ web: leaf(2, 'ports: ["80:8080"]') }, INGRESS)
    const host = await hostOf(before)
    await host.put(before, 'web')
    const live = services(after, await host.observe(after))
    const between = await hostOf(before)
    await between.put(before, 'web', { role: 'retired' })
    await between.put(after, 'web', { role: 'candidate' })
    expect(services(after, await between.observe(after))).toBe(live)
  })

  it('is not there where it is left out, and where a leaf publishes by the engine', async () => {
    const tree = treeOf(
      { api: leaf(1, 'ports: [{target: 81, published: 81, mode: host}]'), web: leaf(1, 'ports: ["80:80"]') },
      INGRESS,
    )
    const host = await hostOf(tree)
    await host.put(tree, 'web')
    await host.put(tree, 'api')
    expect(services(tree, await host.observe(tree), new Set(['web']))).toBe('')
  })
})

describe('the whole', () => {
  it('has the same bytes whatever the order of the containers', async () => {
    const names = ['aa', 'bb', 'cc', 'dd']
    const leaves = Object.fromEntries(
      names.map((name, i) => [name, leaf(1, `ports: ["${90 - i}:80", "${190 - i}:81"]`)]),
    )
    const tree = treeOf(leaves, INGRESS)
    const host = await hostOf(tree)
    for (const name of names) await host.put(tree, name)
    const observed = await host.observe(tree)
    const { text } = renderIngress(tree, observed, ID, new Set()).config
    fc.assert(
      fc.property(fc.shuffledSubarray([...observed.containers], { minLength: 4 }), (containers) => {
        expect(renderIngress(tree, { ...observed, containers }, ID, new Set()).config.text).toBe(text)
      }),
    )
  })

  it('has one digest for all containers that serve it, and another address in each', async () => {
    const tree = treeOf({ web: leaf(1, 'ports: ["80:80"]') }, INGRESS)
    const host = await hostOf(tree)
    await host.put(tree, 'web')
    const observed = await host.observe(tree)
    const [one, other] = [ID, 'b'.repeat(64)].map((id) => renderIngress(tree, observed, id, new Set()).config)
    expect(one?.digest).toBe(other?.digest)
    expect(one?.text).not.toBe(other?.text)
    expect(one?.text).toContain(`bind ${checkAddress(ID)}:1936\n`)
    expect(one?.text).toContain(`string ${one?.digest}\n`)
  })

  it('knows whose a line is', async () => {
    const tree = treeOf({ api: leaf(1, 'ports: ["81:80"]'), web: leaf(1, 'ports: ["80:80"]') }, INGRESS)
    const host = await hostOf(tree)
    await host.put(tree, 'web')
    await host.put(tree, 'api')
    const { config, ownerOf } = renderIngress(tree, await host.observe(tree), ID, new Set())
    const lines = config.text.split('\n')
    const at = (part: string) => ownerOf(lines.findIndex((line) => line.includes(part)) + 1)
    expect([at('bind 0.0.0.0:81'), at('bind [::]:80'), at('noreuseport'), at('graft.check')]).toEqual([
      'api',
      'web',
      null,
      null,
    ])
  })

  it('gives a port that two leaves hold to the one that declares it', async () => {
    const before = treeOf({ old: leaf(1, 'ports: ["80:80"]'), new: leaf(1) }, INGRESS)
    const after = treeOf({ old: leaf(2), new: leaf(2, 'ports: ["80:80"]') }, INGRESS)
    const host = await hostOf(before)
    await host.put(before, 'old')
    await host.put(after, 'new')
    const text = services(after, await host.observe(after))
    expect(text.match(/^frontend .*/gm)).toEqual(['frontend new.80'])
  })
})

describe('an address of its own', () => {
  it('lies in 127.64.0.0/10 and is another for another container', () => {
    const ids = Array.from({ length: 200 }, (_, i) => i.toString(16).padStart(64, '0'))
    const all = ids.map(checkAddress)
    for (const address of all) {
      const [first, second = 0, , last = 0] = address.split('.').map(Number)
      expect([first, second >= 64 && second < 128, last >= 1 && last <= 254]).toEqual([127, true, true])
    }
    expect(new Set(all).size).toBe(200)
  })
})
