// Each key's short and long forms, units and defaults, as the one canonical form they all become.

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

/** [what is written, what of the spec comes of it] */
const SPECS: readonly (readonly [object, object])[] = [
  [{ image: 'quay.io/x/y@sha256:' + 'a'.repeat(64) }, { image: 'quay.io/x/y@sha256:' + 'a'.repeat(64) }],
  [{ image: 'localhost:5000/x_y/z.w:1' }, { image: 'localhost:5000/x_y/z.w:1' }],
  [{ platform: 'linux/arm64/v8' }, { platform: 'linux/arm64/v8' }],
  [{ command: `sh -c "echo \\"a b\\"" 'c d'e f\\ g ''` }, { command: ['sh', '-c', 'echo "a b"', 'c de', 'f g', ''] }],
  [{ command: ['a', ''] }, { command: ['a', ''] }],
  [{ command: [] }, { command: [] }],
  [{ command: '' }, { command: [] }],
  [{ entrypoint: '/run --now' }, { entrypoint: ['/run', '--now'] }],
  [{ environment: { B: 1, A: 'x=y', C: true, D: 1.5 } }, { environment: { A: 'x=y', B: '1', C: 'true', D: '1.5' } }],
  [{ environment: ['B=1', 'A=x=y', 'B=2', 'E='] }, { environment: { A: 'x=y', B: '2', E: '' } }],
  [{ labels: ['b', 'a=1'] }, { labels: { a: '1', b: '' } }],
  [{ labels: { b: null, a: 1 } }, { labels: { a: '1', b: '' } }],
  [{ annotations: { a: 'x' } }, { annotations: { a: 'x' } }],
  [{ user: 1000 }, { user: '1000' }],
  [{ user: 'nova:kolla' }, { user: 'nova:kolla' }],
  [{ working_dir: '/srv//a/' }, { working_dir: '/srv/a' }],
  [{ hostname: 'broker', domainname: 'example.org' }, { hostname: 'broker', domainname: 'example.org' }],
  [{ init: true }, { init: true }],
  [{ init: 'false' }, { init: false }],
  [{}, { init: 'auto', restart: 'always', networks: { default: { aliases: [] } } }],
  [{ tty: 'true', stdin_open: true, read_only: true, privileged: 'true' }, { tty: true, stdin_open: true, read_only: true, privileged: true }],
  [{ expose: ['8000-8002', 80, '53/udp', '80/tcp'] }, { expose: ['53/udp', '80/tcp', '8000/tcp', '8001/tcp', '8002/tcp'] }],
  [{ networks: ['b', 'a'] }, { networks: { a: { aliases: [] }, b: { aliases: [] } } }],
  [
    { networks: { n: { aliases: ['y', 'x'], ipv4_address: '10.0.0.1', ipv6_address: 'FD00::1', mac_address: '02-42-AC-11-00-02' }, m: null } },
    { networks: { m: { aliases: [] }, n: { aliases: ['x', 'y'], ipv4_address: '10.0.0.1', ipv6_address: 'fd00::1', mac_address: '02:42:ac:11:00:02' } } },
  ],
  [{ network_mode: 'host' }, { network_mode: 'host', networks: {} }],
  [{ network_mode: 'service:proxy' }, { network_mode: 'service:proxy', networks: {} }],
  [{ extra_hosts: ['b:10.0.0.1', 'a=::1', 'c:host-gateway', 'd:[fd00::2]'] }, { extra_hosts: ['a:::1', 'b:10.0.0.1', 'c:host-gateway', 'd:fd00::2'] }],
  [{ extra_hosts: { b: '10.0.0.1', a: ['::1', '10.0.0.2'] } }, { extra_hosts: ['a:10.0.0.2', 'a:::1', 'b:10.0.0.1'] }],
  [{ dns: '10.0.0.2', dns_search: ['b', 'a'], dns_opt: ['ndots:2', 'debug'] }, { dns: ['10.0.0.2'], dns_search: ['b', 'a'], dns_opt: ['debug', 'ndots:2'] }],
  [{ volumes: ['data:/x:ro,nocopy'] }, { mounts: [{ type: 'volume', source: 'data', target: '/x', read_only: true, nocopy: true }] }],
  [
    { volumes: ['/run:/run:rshared,z'] },
    { mounts: [{ type: 'bind', source: '/run', target: '/run', read_only: false, create_host_path: true, propagation: 'rshared', selinux: 'z' }] },
  ],
  [
    { volumes: [{ type: 'bind', source: '/a/', target: '/b', bind: { create_host_path: false, propagation: 'slave' } }] },
    { mounts: [{ type: 'bind', source: '/a', target: '/b', read_only: false, create_host_path: false, propagation: 'slave' }] },
  ],
  [
    { volumes: [{ type: 'volume', source: 'v', target: '/b', read_only: 'true', volume: { subpath: 's' } }] },
    { mounts: [{ type: 'volume', source: 'v', target: '/b', read_only: true, subpath: 's' }] },
  ],
  [
    { volumes: ['b:/b', { type: 'tmpfs', target: '/c', tmpfs: { size: '1m', mode: '1777' } }], tmpfs: '/a:mode=700,noexec,size=64m' },
    {
      mounts: [
        { type: 'tmpfs', target: '/a', size: 67108864, mode: 0o700, options: ['noexec'] },
        { type: 'volume', source: 'b', target: '/b', read_only: false },
        { type: 'tmpfs', target: '/c', size: 1048576, mode: 0o1777 },
      ],
    },
  ],
  [{ restart: 'on-failure:3' }, { restart: 'on-failure:3' }],
  [{ restart: 'no' }, { restart: 'no' }],
  [{ kind: 'job' }, { restart: 'no' }],
  [{ stop_signal: 'int', stop_grace_period: '1h2m3.5s' }, { stop_signal: 'SIGINT', stop_grace_period: 3723500 }],
  [{ stop_signal: 9 }, { stop_signal: '9' }],
  [{ cap_add: ['sys_admin', 'CAP_NET_ADMIN', 'NET_ADMIN'], cap_drop: ['ALL'] }, { cap_add: ['NET_ADMIN', 'SYS_ADMIN'], cap_drop: ['ALL'] }],
  [
    { security_opt: ['seccomp:unconfined', 'no-new-privileges', 'label=user:x'] },
    { security_opt: ['label=user:x', 'no-new-privileges=true', 'seccomp=unconfined'] },
  ],
  [
    { devices: ['/dev/kvm', '/dev/b:/dev/a:wr', '/dev/c:r', { source: '/dev/d', permissions: 'm' }] },
    {
      devices: [
        { source: '/dev/b', target: '/dev/a', permissions: 'rw' },
        { source: '/dev/c', target: '/dev/c', permissions: 'r' },
        { source: '/dev/d', target: '/dev/d', permissions: 'm' },
        { source: '/dev/kvm', target: '/dev/kvm', permissions: 'rwm' },
      ],
    },
  ],
  [{ device_cgroup_rules: ['c 1:3 mr', 'a *:* rwm'] }, { device_cgroup_rules: ['a *:* rwm', 'c 1:3 mr'] }],
  [{ gpus: 'all' }, { gpus: [{ count: -1, capabilities: [['gpu']] }] }],
  [
    { gpus: [{ driver: 'nvidia', count: '2', capabilities: ['video'] }, { device_ids: ['1', '0'], options: ['a=b'] }] },
    { gpus: [{ driver: 'nvidia', count: 2, capabilities: [['gpu', 'video']] }, { device_ids: ['0', '1'], capabilities: [['gpu']], options: { a: 'b' } }] },
  ],
  [{ group_add: [1000, 'audio'] }, { group_add: ['1000', 'audio'] }],
  [{ ipc: 'shareable', pid: 'service:other', uts: 'host', userns_mode: 'host', cgroup: 'private' }, { ipc: 'shareable', pid: 'service:other', uts: 'host', userns_mode: 'host', cgroup: 'private' }],
  [{ cgroup_parent: 'a.slice', runtime: 'runc' }, { cgroup_parent: 'a.slice', runtime: 'runc' }],
  [{ sysctls: { 'net.core.somaxconn': 1024 } }, { sysctls: { 'net.core.somaxconn': '1024' } }],
  [{ sysctls: ['net.core.somaxconn=1024'] }, { sysctls: { 'net.core.somaxconn': '1024' } }],
  [{ ulimits: { nproc: '65535', nofile: { soft: 1, hard: '2' }, core: -1 } }, { ulimits: { core: { soft: -1, hard: -1 }, nofile: { soft: 1, hard: 2 }, nproc: { soft: 65535, hard: 65535 } } }],
  [{ shm_size: '64m', mem_limit: '1gb', mem_reservation: '512k'.replace('512k', '10MiB'), memswap_limit: -1 }, { shm_size: 67108864, mem_limit: 1073741824, mem_reservation: 10485760, memswap_limit: -1 }],
  [{ mem_limit: 8388608 }, { mem_limit: 8388608 }],
  [{ mem_limit: '1.5g' }, { mem_limit: 1610612736 }],
  [{ shm_size: '512k' }, { shm_size: 524288 }],
  [{ cpus: '0.5', cpu_shares: '512', cpuset: '0-2,4', pids_limit: '0', oom_score_adj: '-500', oom_kill_disable: true }, { cpus: 0.5, cpu_shares: 512, cpuset: '0-2,4', pids_limit: -1, oom_score_adj: -500, oom_kill_disable: true }],
  [{}, { logging: { driver: 'json-file', options: { 'max-file': '3', 'max-size': '10m' } } }],
  [{ logging: { options: { 'max-size': '50m' } } }, { logging: { driver: 'json-file', options: { 'max-file': '3', 'max-size': '50m' } } }],
  [{ logging: { driver: 'journald', options: { tag: 1 } } }, { logging: { driver: 'journald', options: { tag: '1' } } }],
  [{ mac_address: '02:42:AC:11:00:02' }, { mac_address: '02:42:ac:11:00:02' }],
  [{ healthcheck: { test: 'true' } }, { healthcheck: { test: ['CMD-SHELL', 'true'] } }],
  [
    { healthcheck: { test: ['CMD', 'a'], interval: '1m30s', timeout: '500ms', start_period: '0s', start_interval: '2.5s', retries: '5' } },
    { healthcheck: { test: ['CMD', 'a'], interval: 90000, timeout: 500, start_period: 0, start_interval: 2500, retries: 5 } },
  ],
  [{ healthcheck: { interval: '5s' } }, { healthcheck: { interval: 5000 } }],
  [{ healthcheck: { test: ['NONE'] } }, { healthcheck: { disable: true } }],
  [{ healthcheck: { disable: true, test: 'x' } }, { healthcheck: { disable: true } }],
]

describe('a leaf’s spec', () => {
  it.each(SPECS.map(([written, spec]) => ({ written, spec, name: JSON.stringify(written) })))('$name', ({ written, spec }) => {
    expect(parts(written).spec).toMatchObject(spec)
  })

  it('leaves out what nobody asked for', () => {
    const { spec } = parts({ mem_limit: 0, cpus: 0, command: null, entrypoint: null, pid: null, healthcheck: {} })
    for (const key of ['mem_limit', 'cpus', 'command', 'entrypoint', 'pid', 'healthcheck', 'hostname', 'user']) {
      expect(spec).not.toHaveProperty(key)
    }
  })
})

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
    ['8000-8001:9000-9001', [{ target: 9000, published: 8000, ...tcp }, { target: 9001, published: 8001, ...tcp }]],
    [{ target: 80 }, [{ target: 80, published: 0, ...tcp }]],
    [{ target: '80', published: 8080, host_ip: '10.0.0.1', protocol: 'sctp', name: 'n', app_protocol: 'http' }, [{ target: 80, published: 8080, host_ip: '10.0.0.1', protocol: 'sctp', mode: 'host' }]],
    [{ target: '80-81', published: '90-91' }, [{ target: 80, published: 90, ...tcp }, { target: 81, published: 91, ...tcp }]],
  ])('%j', (line, expected) => {
    expect(parts({ ports: [line] }).spec.ports).toEqual(expected)
  })

  it('go through the ingress where there is one, unless they cannot or the leaf says otherwise', () => {
    const lines = ['81:81', '82:82/udp', '83', { target: 84, published: 84, mode: 'host' }]
    expect(parts({ ports: lines }, true).spec.ports.map(({ target, mode }) => [target, mode])).toEqual([
      [81, 'ingress'],
      [83, 'host'],
      [84, 'host'],
      [82, 'host'],
    ].sort((a, b) => Number(a[0]) - Number(b[0])))
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
