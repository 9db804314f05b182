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
  [
    { hostname: 'broker', domainname: 'example.org' },
    { hostname: 'broker', domainname: 'example.org' },
  ],
  [{ init: true }, { init: true }],
  [{ init: 'false' }, { init: false }],
  [{}, { init: 'auto', restart: 'always', networks: { default: { aliases: [] } } }],
  [
    { tty: 'true', stdin_open: true, read_only: true, privileged: 'true' },
    { tty: true, stdin_open: true, read_only: true, privileged: true },
  ],
  [
    { expose: ['8000-8002', 80, '53/udp', '80/tcp'] },
    { expose: ['53/udp', '80/tcp', '8000/tcp', '8001/tcp', '8002/tcp'] },
  ],
  [{ networks: ['b', 'a'] }, { networks: { a: { aliases: [] }, b: { aliases: [] } } }],
  [
    {
      networks: {
        n: { aliases: ['y', 'x'], ipv4_address: '10.0.0.1', ipv6_address: 'FD00::1', mac_address: '02-42-AC-11-00-02' },
        m: null,
      },
    },
    {
      networks: {
        m: { aliases: [] },
        n: { aliases: ['x', 'y'], ipv4_address: '10.0.0.1', ipv6_address: 'fd00::1', mac_address: '02:42:ac:11:00:02' },
      },
    },
  ],
  [{ network_mode: 'host' }, { network_mode: 'host', networks: {} }],
  [{ network_mode: 'service:proxy' }, { network_mode: 'service:proxy', networks: {} }],
  [
    { extra_hosts: ['b:10.0.0.1', 'a=::1', 'c:host-gateway', 'd:[fd00::2]'] },
    { extra_hosts: ['a:::1', 'b:10.0.0.1', 'c:host-gateway', 'd:fd00::2'] },
  ],
  [{ extra_hosts: { b: '10.0.0.1', a: ['::1', '10.0.0.2'] } }, { extra_hosts: ['a:10.0.0.2', 'a:::1', 'b:10.0.0.1'] }],
  [
    { dns: '10.0.0.2', dns_search: ['b', 'a'], dns_opt: ['ndots:2', 'debug'] },
    { dns: ['10.0.0.2'], dns_search: ['b', 'a'], dns_opt: ['debug', 'ndots:2'] },
  ],
  [
    { volumes: ['data:/x:ro,nocopy'] },
    { mounts: [{ type: 'volume', source: 'data', target: '/x', read_only: true, nocopy: true }] },
  ],
  [
    { volumes: ['/run:/run:rshared,z'] },
    {
      mounts: [
        {
          type: 'bind',
          source: '/run',
          target: '/run',
          read_only: false,
          create_host_path: true,
          propagation: 'rshared',
          selinux: 'z',
        },
      ],
    },
  ],
  [
    {
      volumes: [{ type: 'bind', source: '/a/', target: '/b', bind: { create_host_path: false, propagation: 'slave' } }],
    },
    {
      mounts: [
        { type: 'bind', source: '/a', target: '/b', read_only: false, create_host_path: false, propagation: 'slave' },
      ],
    },
  ],
  [
    { volumes: [{ type: 'volume', source: 'v', target: '/b', read_only: 'true', volume: { subpath: 's' } }] },
    { mounts: [{ type: 'volume', source: 'v', target: '/b', read_only: true, subpath: 's' }] },
  ],
  [
    {
      volumes: ['b:/b', { type: 'tmpfs', target: '/c', tmpfs: { size: '1m', mode: '1777' } }],
      tmpfs: '/a:mode=700,noexec,size=64m',
    },
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
  [
    { stop_signal: 'int', stop_grace_period: '1h2m3.5s' },
    { stop_signal: 'SIGINT', stop_grace_period: 3723500 },
  ],
  [{ stop_signal: 9 }, { stop_signal: '9' }],
  [
    { cap_add: ['sys_admin', 'CAP_NET_ADMIN', 'NET_ADMIN'], cap_drop: ['ALL'] },
    { cap_add: ['NET_ADMIN', 'SYS_ADMIN'], cap_drop: ['ALL'] },
  ],
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
    {
      gpus: [
        { driver: 'nvidia', count: '2', capabilities: ['video'] },
        { device_ids: ['1', '0'], options: ['a=b'] },
      ],
    },
    {
      gpus: [
        { driver: 'nvidia', count: 2, capabilities: [['gpu', 'video']] },
        { device_ids: ['0', '1'], capabilities: [['gpu']], options: { a: 'b' } },
      ],
    },
  ],
  [{ group_add: [1000, 'audio'] }, { group_add: ['1000', 'audio'] }],
  [
    { ipc: 'shareable', pid: 'service:other', uts: 'host', userns_mode: 'host', cgroup: 'private' },
    { ipc: 'shareable', pid: 'service:other', uts: 'host', userns_mode: 'host', cgroup: 'private' },
  ],
  [
    { cgroup_parent: 'a.slice', runtime: 'runc' },
    { cgroup_parent: 'a.slice', runtime: 'runc' },
  ],
  [{ sysctls: { 'net.core.somaxconn': 1024 } }, { sysctls: { 'net.core.somaxconn': '1024' } }],
  [{ sysctls: ['net.core.somaxconn=1024'] }, { sysctls: { 'net.core.somaxconn': '1024' } }],
  [
    { ulimits: { nproc: '65535', nofile: { soft: 1, hard: '2' }, core: -1 } },
    { ulimits: { core: { soft: -1, hard: -1 }, nofile: { soft: 1, hard: 2 }, nproc: { soft: 65535, hard: 65535 } } },
  ],
  [
    { shm_size: '64m', mem_limit: '1gb', mem_reservation: '512k'.replace('512k', '10MiB'), memswap_limit: -1 },
    { shm_size: 67108864, mem_limit: 1073741824, mem_reservation: 10485760, memswap_limit: -1 },
  ],
  [{ mem_limit: 8388608 }, { mem_limit: 8388608 }],
  [{ mem_limit: '1.5g' }, { mem_limit: 1610612736 }],
  [{ shm_size: '512k' }, { shm_size: 524288 }],
  [
    { cpus: '0.5', cpu_shares: '512', cpuset: '0-2,4', pids_limit: '0', oom_score_adj: '-500', oom_kill_disable: true },
    { cpus: 0.5, cpu_shares: 512, cpuset: '0-2,4', pids_limit: -1, oom_score_adj: -500, oom_kill_disable: true },
  ],
  [{}, { logging: { driver: 'json-file', options: { 'max-file': '3', 'max-size': '10m' } } }],
  [
    { logging: { options: { 'max-size': '50m' } } },
    { logging: { driver: 'json-file', options: { 'max-file': '3', 'max-size': '50m' } } },
  ],
  [
    { logging: { driver: 'journald', options: { tag: 1 } } },
    { logging: { driver: 'journald', options: { tag: '1' } } },
  ],
  [{ mac_address: '02:42:AC:11:00:02' }, { mac_address: '02:42:ac:11:00:02' }],
  [{ healthcheck: { test: 'true' } }, { healthcheck: { test: ['CMD-SHELL', 'true'] } }],
  [
    {
      healthcheck: {
        test: ['CMD', 'a'],
        interval: '1m30s',
        timeout: '500ms',
        start_period: '0s',
        start_interval: '2.5s',
        retries: '5',
      },
    },
    {
      healthcheck: {
        test: ['CMD', 'a'],
        interval: 90000,
        timeout: 500,
        start_period: 0,
        start_interval: 2500,
        retries: 5,
      },
    },
  ],
  [{ healthcheck: { interval: '5s' } }, { healthcheck: { interval: 5000 } }],
  [{ healthcheck: { test: ['NONE'] } }, { healthcheck: { disable: true } }],
  [{ healthcheck: { disable: true, test: 'x' } }, { healthcheck: { disable: true } }],
]

describe('a leaf’s spec', () => {
  it.each(SPECS.map(([written, spec]) => ({ written, spec, name: JSON.stringify(written) })))(
    '$name',
    ({ written, spec }) => {
      expect(parts(written).spec).toMatchObject(spec)
    },
  )

  it('leaves out what nobody asked for', () => {
    const { spec } = parts({ mem_limit: 0, cpus: 0, command: null, entrypoint: null, pid: null, healthcheck: {} })
    for (const key of ['mem_limit', 'cpus', 'command', 'entrypoint', 'pid', 'healthcheck', 'hostname', 'user']) {
      expect(spec).not.toHaveProperty(key)
    }
  })
})
