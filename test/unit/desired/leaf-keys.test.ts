// Ports, and what of a leaf is not in its spec: defaults, graft's own keys, probes.

import { describe, expect, it } from 'vitest'
import { parseLeaf } from '../../../src/desired/schema/leaf.ts'
import type { LeafParts } from '../../../src/desired/schema/leaf.ts'

const LEAF = { generation: 1, image: 'nginx:1.27' }

function parts(keys: object, ingress = false): LeafParts {
  const result = parseLeaf({ ...LEAF, ...keys }, { symbolic: false, ingress, leafName: 'web' })
  expect(result.issues).toEqual([])
  if (result.parts === null) throw new Error('no parts')
  return result.parts
}

describe('ports', () => {
  const tcp = { protocol: 'tcp', mode: 'host' }
  it.each([
    ['80', [{ target: 80, published: 0, ...tcp }]],
    [80, [{ target: 80, published: 0, ...tcp }]],
    ['8080:80/udp', [{ target: 80, published: 8080, protocol: 'udp', mode: 'host' }]],
    ['127.0.0.1:8080:80', [{ target: 80, published: 8080, ...tcp, host_ip: '127.0.0.1' }]],
    ['127.0.0.1::80', [{ target: 80, published: 0, ...tcp, host_ip: '127.0.0.1' }]],
    ['[::1]:8080:80', [{ target: 80, published: 8080, ...tcp, host_ip: '::1' }]],
    ['::1:8080:80', [{ target: 80, published: 8080, ...tcp, host_ip: '::1' }]],
    [
      '8000-8001:9000-9001',
      [
        { target: 9000, published: 8000, ...tcp },
        { target: 9001, published: 8001, ...tcp },
      ],
    ],
    [{ target: 80 }, [{ target: 80, published: 0, ...tcp }]],
    [
      { target: '80', published: 8080, host_ip: '10.0.0.1', protocol: 'sctp', name: 'n', app_protocol: 'http' },
      [{ target: 80, published: 8080, host_ip: '10.0.0.1', protocol: 'sctp', mode: 'host' }],
    ],
    [
      { target: '80-81', published: '90-91' },
      [
        { target: 80, published: 90, ...tcp },
        { target: 81, published: 91, ...tcp },
      ],
    ],
  ])('%j', (line, expected) => {
    expect(parts({ ports: [line] }).spec.ports).toEqual(expected)
  })

  it('go through the ingress where there is one, unless they cannot or the leaf says otherwise', () => {
    const lines = ['81:81', '82:82/udp', '83', { target: 84, published: 84, mode: 'host' }]
    expect(parts({ ports: lines }, true).spec.ports.map(({ target, mode }) => [target, mode])).toEqual(
      [
        [81, 'ingress'],
        [83, 'host'],
        [84, 'host'],
        [82, 'host'],
      ].sort((a, b) => Number(a[0]) - Number(b[0])),
    )
  })
})

describe('what is not in the spec', () => {
  it('has defaults', () => {
    expect(parts({})).toMatchObject({
      kind: 'container',
      generation: 1,
      renamed_from: null,
      env_file: [],
      files: {},
      pull_policy: 'missing',
      probe: null,
      update: { order: null, deadline: 120_000, settle: null, drain: 10_000 },
      on_unhealthy: 'restart',
      prune: true,
      depends_on: new Map(),
    })
    expect(parts({ kind: 'job' }).update.deadline).toBe(1_800_000)
  })

  it('reads graft’s own keys', () => {
    const found = parts({
      generation: 7,
      renamed_from: 'old-web',
      pull_policy: 'if_not_present',
      update: { order: 'stop-first', deadline: '5m', settle: '0s', drain: '0' },
      on_unhealthy: 'ignore',
      prune: false,
      env_file: ['./a.env', { path: '../b.env', required: false, format: 'raw' }],
      files: { '/etc//a': './a', '/etc/b': { source: 'b', mode: '0440', uid: '7', interpolate: true } },
      depends_on: { db: { condition: 'service_healthy', restart: true, required: true } },
    })
    expect(found).toMatchObject({
      generation: 7,
      renamed_from: 'old-web',
      pull_policy: 'missing',
      update: { order: 'stop-first', deadline: 300_000, settle: 0, drain: 0 },
      on_unhealthy: 'ignore',
      prune: false,
      env_file: [
        { path: './a.env', required: true },
        { path: '../b.env', required: false, format: 'raw' },
      ],
      files: {
        '/etc/a': { source: './a', mode: 0o644, uid: 0, gid: 0, interpolate: false },
        '/etc/b': { source: 'b', mode: 0o440, uid: 7, gid: 0, interpolate: true },
      },
      depends_on: new Map([['db', { condition: 'service_healthy', restart: true }]]),
    })
    expect(parts({ depends_on: ['db'] }).depends_on).toEqual(
      new Map([['db', { condition: 'service_started', restart: false }]]),
    )
  })

  it('reads probes, which leave the image’s own check alone', () => {
    const http = parts({ healthcheck: { http: { port: '80' }, interval: '5s', retries: 2 } })
    expect(http.spec).not.toHaveProperty('healthcheck')
    expect(http.probe).toEqual({
      kind: 'http',
      port: 80,
      path: '/',
      scheme: 'http',
      headers: {},
      status: [[200, 399]],
      interval: 5000,
      timeout: 30_000,
      retries: 2,
      start_period: 0,
    })
    const wish = { port: 1, path: '/a', scheme: 'https', headers: { Host: 'x', A: 1 }, status: ['300-399', 204] }
    expect(parts({ healthcheck: { http: wish } }).probe).toMatchObject({
      headers: { A: '1', Host: 'x' },
      scheme: 'https',
      status: [
        [204, 204],
        [300, 399],
      ],
    })
    expect(parts({ healthcheck: { tcp: { port: 5672 } } }).probe).toMatchObject({ kind: 'tcp', port: 5672 })
  })
})
