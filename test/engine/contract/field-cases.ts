// For each key of a spec what to set, which fields that changes, and where the engine's own inspection shows it.
// The type makes the table complete: a key that is added to `Spec` does not compile before it has a case.

import type { Spec } from '../../../src/desired/spec.ts'
import type { ImageFacts } from '../../../src/plan/observed.ts'
import { BASE_IMAGE } from './sample-tree.ts'

export interface FieldCase {
  /** What is special about it; part of the test's name. */
  readonly about?: string
  /** What the leaf without the key has besides the plain spec. */
  readonly base?: Partial<Spec>
  readonly set: Partial<Spec>
  /** Fields that differ from the leaf without it. */
  readonly changes: readonly string[]
  /** An engine cannot tell that this was taken away. */
  readonly removalUnseen?: true
  /** An engine drops it where its kernel cannot do it. */
  readonly mayBeUnsupported?: keyof Spec
  /** Cannot run on a machine for tests. */
  readonly neverStarted?: true
  /** The engine's words where the machine has not the privileges that the container asks for. */
  readonly machineMayRefuse?: RegExp
  /** Oldest Engine API that has it. */
  readonly api?: string
  /** Path in the engine's inspection → value. `~` at the front: contains. */
  readonly reaches: Readonly<Record<string, unknown>>
}

const MB = 1024 * 1024

export const FIELD_CASES: Readonly<Record<keyof Spec, readonly FieldCase[]>> = {
  image: [
    { set: { image: 'graft-test/other:1' }, changes: ['image'], reaches: { 'Config.Image': 'graft-test/other:1' } },
  ],
  // The engine refuses another platform than the image's; it does not tell back what was asked.
  platform: [{ set: { platform: 'linux/amd64' }, changes: [], reaches: { Platform: 'linux' } }],
  command: [
    {
      set: { command: ['sh', '-c', 'sleep 900'] },
      changes: ['command'],
      reaches: { 'Config.Cmd': ['sh', '-c', 'sleep 900'] },
    },
  ],
  entrypoint: [
    {
      set: { entrypoint: ['/bin/busybox'] },
      changes: ['entrypoint'],
      reaches: { 'Config.Entrypoint': ['/bin/busybox'], 'Config.Cmd': ['sleep', '1000'] },
    },
    { about: 'empty', set: { entrypoint: [] }, changes: [], reaches: { 'Config.Entrypoint': null } },
  ],
  environment: [
    {
      set: { environment: { A: '1', EMPTY: '', EQUALS: 'a=b' } },
      changes: ['environment.A', 'environment.EMPTY', 'environment.EQUALS'],
      reaches: { 'Config.Env~': ['A=1', 'EMPTY=', 'EQUALS=a=b'] },
    },
    {
      about: 'another value',
      base: { environment: { A: '1', B: '2' } },
      set: { environment: { A: '3', B: '2' } },
      changes: ['environment.A'],
      reaches: { 'Config.Env~': ['A=3', 'B=2'] },
    },
  ],
  labels: [
    {
      set: { labels: { 'org.example.owner': 'me' } },
      changes: ['labels.org.example.owner'],
      reaches: { 'Config.Labels.org\\.example\\.owner': 'me' },
    },
  ],
  annotations: [
    {
      set: { annotations: { 'org.example.note': 'x' } },
      changes: ['annotations.org.example.note'],
      api: '1.43',
      reaches: { 'HostConfig.Annotations': { 'org.example.note': 'x' } },
    },
  ],
  user: [{ set: { user: '1000:1000' }, changes: ['user'], reaches: { 'Config.User': '1000:1000' } }],
  working_dir: [{ set: { working_dir: '/tmp' }, changes: ['working_dir'], reaches: { 'Config.WorkingDir': '/tmp' } }],
  hostname: [{ set: { hostname: 'somehost' }, changes: ['hostname'], reaches: { 'Config.Hostname': 'somehost' } }],
  domainname: [
    { set: { domainname: 'example.org' }, changes: ['domainname'], reaches: { 'Config.Domainname': 'example.org' } },
  ],
  init: [
    { set: { init: false }, changes: ['init'], reaches: { 'HostConfig.Init': false } },
    { about: 'said aloud', set: { init: true }, changes: [], reaches: { 'HostConfig.Init': true } },
  ],
  tty: [{ set: { tty: true }, changes: ['tty'], reaches: { 'Config.Tty': true } }],
  stdin_open: [{ set: { stdin_open: true }, changes: ['stdin_open'], reaches: { 'Config.OpenStdin': true } }],
  read_only: [{ set: { read_only: true }, changes: ['read_only'], reaches: { 'HostConfig.ReadonlyRootfs': true } }],
  privileged: [
    {
      set: { privileged: true },
      changes: ['privileged'],
      machineMayRefuse: /unable to apply caps/,
      reaches: { 'HostConfig.Privileged': true },
    },
  ],
  expose: [
    {
      set: { expose: ['81/tcp', '82/udp'] },
      changes: ['expose'],
      reaches: { 'Config.ExposedPorts': { '81/tcp': {}, '82/udp': {} } },
    },
  ],
  ports: [
    {
      about: 'any port of the host',
      set: { ports: [{ target: 80, published: 0, protocol: 'tcp', mode: 'host' }] },
      changes: ['ports.80/tcp'],
      reaches: { 'Config.ExposedPorts': { '80/tcp': {} }, 'HostConfig.PortBindings~': { '80/tcp': [{}] } },
    },
    {
      about: 'address, protocol, two for one',
      set: {
        ports: [
          { target: 53, published: 35353, protocol: 'udp', host_ip: '127.0.0.1', mode: 'host' },
          { target: 53, published: 35354, protocol: 'udp', host_ip: '127.0.0.1', mode: 'host' },
        ],
      },
      changes: ['ports.53/udp'],
      reaches: {
        'HostConfig.PortBindings': {
          '53/udp': [
            { HostIp: '127.0.0.1', HostPort: '35353' },
            { HostIp: '127.0.0.1', HostPort: '35354' },
          ],
        },
      },
    },
    {
      about: 'of the ingress',
      set: { ports: [{ target: 80, published: 8080, protocol: 'tcp', mode: 'ingress' }] },
      changes: [],
      reaches: { 'HostConfig.PortBindings': {} },
    },
  ],
  networks: [
    {
      about: 'an alias',
      set: { networks: { default: { aliases: ['alpha', 'beta'] } } },
      changes: ['networks.default.aliases'],
      reaches: { 'NetworkSettings.Networks.DEPLOYMENT_default.Aliases~': ['alpha', 'beta'] },
    },
    {
      about: 'a second one',
      set: { networks: { default: { aliases: [] }, backend: { aliases: ['gamma'] } } },
      changes: ['networks.backend'],
      reaches: { 'NetworkSettings.Networks.DEPLOYMENT_backend.Aliases~': ['gamma'] },
    },
    {
      about: 'a fixed address',
      base: { networks: { fixed: { aliases: [] } } },
      set: { networks: { fixed: { aliases: [], ipv4_address: '10.231.77.9' } } },
      changes: ['networks.fixed.ipv4_address'],
      reaches: { 'NetworkSettings.Networks.DEPLOYMENT_fixed.IPAMConfig.IPv4Address': '10.231.77.9' },
    },
    {
      about: 'a MAC address',
      set: { networks: { default: { aliases: [], mac_address: '02:42:ac:11:aa:01' } } },
      changes: ['networks.default.mac_address'],
      removalUnseen: true,
      reaches: {},
    },
  ],
  network_mode: [
    {
      about: 'host',
      set: { network_mode: 'host', networks: {} },
      changes: ['network_mode'],
      reaches: { 'HostConfig.NetworkMode': 'host' },
    },
    {
      about: 'none',
      set: { network_mode: 'none', networks: {} },
      changes: ['network_mode'],
      reaches: { 'HostConfig.NetworkMode': 'none' },
    },
    {
      about: 'of another leaf',
      set: { network_mode: 'service:peer', networks: {} },
      changes: ['network_mode'],
      reaches: { 'HostConfig.NetworkMode': 'container:PEER' },
    },
  ],
  mac_address: [
    {
      set: { mac_address: '02:42:ac:11:aa:02' },
      changes: ['networks.default.mac_address'],
      removalUnseen: true,
      reaches: {},
    },
  ],
  extra_hosts: [
    {
      set: { extra_hosts: ['db:10.0.0.9'] },
      changes: ['extra_hosts'],
      reaches: { 'HostConfig.ExtraHosts': ['db:10.0.0.9'] },
    },
  ],
  dns: [
    {
      set: { dns: ['10.0.0.1', '10.0.0.2'] },
      changes: ['dns'],
      reaches: { 'HostConfig.Dns': ['10.0.0.1', '10.0.0.2'] },
    },
  ],
  dns_search: [
    {
      set: { dns_search: ['example.org'] },
      changes: ['dns_search'],
      reaches: { 'HostConfig.DnsSearch': ['example.org'] },
    },
  ],
  dns_opt: [{ set: { dns_opt: ['ndots:2'] }, changes: ['dns_opt'], reaches: { 'HostConfig.DnsOptions': ['ndots:2'] } }],
  mounts: [
    {
      about: 'volume',
      set: { mounts: [{ type: 'volume', source: 'data', target: '/data', read_only: false }] },
      changes: ['volumes./data'],
      reaches: { 'Mounts.0.Name': 'DEPLOYMENT_data', 'Mounts.0.Destination': '/data', 'Mounts.0.RW': true },
    },
    {
      about: 'volume, read-only, without copy',
      set: { mounts: [{ type: 'volume', source: 'data', target: '/data', read_only: true, nocopy: true }] },
      changes: ['volumes./data'],
      reaches: { 'Mounts.0.RW': false, 'HostConfig.Mounts.0.VolumeOptions~': { NoCopy: true } },
    },
    {
      about: 'folder of a volume',
      set: { mounts: [{ type: 'volume', source: 'data', target: '/data', read_only: false, subpath: 'part' }] },
      changes: ['volumes./data'],
      neverStarted: true,
      api: '1.45',
      reaches: { 'HostConfig.Mounts.0.VolumeOptions~': { Subpath: 'part' } },
    },
    {
      about: 'bind of a folder that is there',
      set: { mounts: [{ type: 'bind', source: '/etc', target: '/host', read_only: true, create_host_path: false }] },
      changes: ['volumes./host'],
      reaches: { 'Mounts.0.Source': '/etc', 'Mounts.0.RW': false, 'Mounts.0.Type': 'bind' },
    },
    {
      about: 'bind with propagation',
      set: {
        mounts: [
          {
            type: 'bind',
            source: '/etc',
            target: '/host',
            read_only: false,
            propagation: 'rslave',
            create_host_path: false,
          },
        ],
      },
      changes: ['volumes./host'],
      reaches: { 'Mounts.0.Propagation': 'rslave' },
    },
    {
      about: 'bind that makes its folder and is relabelled',
      set: {
        mounts: [
          {
            type: 'bind',
            source: '/var/tmp/graft-test-made',
            target: '/host',
            read_only: true,
            create_host_path: true,
            selinux: 'z',
          },
        ],
      },
      changes: ['volumes./host'],
      reaches: { 'HostConfig.Binds': ['/var/tmp/graft-test-made:/host:ro,z'], 'Mounts.0.RW': false },
    },
    {
      about: 'tmpfs',
      set: { mounts: [{ type: 'tmpfs', target: '/scratch', size: 4 * MB, mode: 0o1770, options: ['uid=5'] }] },
      changes: ['volumes./scratch'],
      reaches: { 'HostConfig.Tmpfs': { '/scratch': `size=${4 * MB},mode=1770,uid=5` } },
    },
  ],
  files: [
    {
      set: { files: { '/etc/sample.conf': { sha256: 'a'.repeat(64), mode: 0o440, uid: 7, gid: 8 } } },
      changes: ['files'],
      reaches: {},
    },
  ],
  healthcheck: [
    {
      set: {
        healthcheck: { test: ['CMD', 'true'], interval: 5000, timeout: 1500, start_period: 2000, retries: 4 },
      },
      changes: [
        'healthcheck.interval',
        'healthcheck.retries',
        'healthcheck.start_period',
        'healthcheck.test',
        'healthcheck.timeout',
      ],
      reaches: {
        'Config.Healthcheck~': { Test: ['CMD', 'true'], Interval: 5e9, Timeout: 1.5e9, StartPeriod: 2e9, Retries: 4 },
      },
    },
    {
      about: 'start interval',
      base: { healthcheck: { test: ['CMD', 'true'] } },
      set: { healthcheck: { test: ['CMD', 'true'], start_interval: 500 } },
      changes: ['healthcheck.start_interval'],
      api: '1.44',
      reaches: { 'Config.Healthcheck.StartInterval': 5e8 },
    },
    {
      about: 'switched off',
      set: { healthcheck: { disable: true } },
      changes: ['healthcheck.disable'],
      reaches: { 'Config.Healthcheck.Test': ['NONE'] },
    },
  ],
  // In force only while it is live: the label remembers what was authored.
  restart: [
    {
      set: { restart: 'on-failure:3' },
      changes: ['restart'],
      reaches: { 'HostConfig.RestartPolicy.Name': 'no', 'Config.Labels.dev\\.graft\\.restart': 'on-failure:3' },
    },
  ],
  stop_signal: [
    { set: { stop_signal: 'SIGUSR1' }, changes: ['stop_signal'], reaches: { 'Config.StopSignal': 'SIGUSR1' } },
  ],
  stop_grace_period: [
    { set: { stop_grace_period: 2500 }, changes: ['stop_grace_period'], reaches: { 'Config.StopTimeout': 3 } },
  ],
  cap_add: [
    { set: { cap_add: ['NET_ADMIN'] }, changes: ['cap_add'], reaches: { 'HostConfig.CapAdd~': [/NET_ADMIN$/] } },
  ],
  cap_drop: [{ set: { cap_drop: ['MKNOD'] }, changes: ['cap_drop'], reaches: { 'HostConfig.CapDrop~': [/MKNOD$/] } }],
  security_opt: [
    {
      set: { security_opt: ['no-new-privileges:true'] },
      changes: ['security_opt'],
      reaches: { 'HostConfig.SecurityOpt': ['no-new-privileges:true'] },
    },
  ],
  devices: [
    {
      set: { devices: [{ source: '/dev/null', target: '/dev/void', permissions: 'rw' }] },
      changes: ['devices./dev/void'],
      reaches: {
        'HostConfig.Devices': [{ PathOnHost: '/dev/null', PathInContainer: '/dev/void', CgroupPermissions: 'rw' }],
      },
    },
  ],
  device_cgroup_rules: [
    {
      set: { device_cgroup_rules: ['c 1:3 mr'] },
      changes: ['device_cgroup_rules'],
      reaches: { 'HostConfig.DeviceCgroupRules': ['c 1:3 mr'] },
    },
  ],
  gpus: [
    {
      set: { gpus: [{ driver: 'nvidia', count: -1, capabilities: [['gpu']], options: { a: 'b' } }] },
      changes: ['gpus.0'],
      neverStarted: true,
      reaches: {
        'HostConfig.DeviceRequests.0~': { Driver: 'nvidia', Count: -1, Capabilities: [['gpu']], Options: { a: 'b' } },
      },
    },
  ],
  group_add: [{ set: { group_add: ['1234'] }, changes: ['group_add'], reaches: { 'HostConfig.GroupAdd': ['1234'] } }],
  ipc: [
    { about: 'host', set: { ipc: 'host' }, changes: ['ipc'], reaches: { 'HostConfig.IpcMode': 'host' } },
    { about: 'shareable', set: { ipc: 'shareable' }, changes: ['ipc'], reaches: { 'HostConfig.IpcMode': 'shareable' } },
    {
      about: 'of another leaf',
      set: { ipc: 'service:peer' },
      changes: ['ipc'],
      reaches: { 'HostConfig.IpcMode': 'container:PEER' },
    },
  ],
  pid: [
    { about: 'host', set: { pid: 'host' }, changes: ['pid'], reaches: { 'HostConfig.PidMode': 'host' } },
    {
      about: 'of another leaf',
      set: { pid: 'service:peer' },
      changes: ['pid'],
      reaches: { 'HostConfig.PidMode': 'container:PEER' },
    },
  ],
  uts: [{ set: { uts: 'host' }, changes: ['uts'], reaches: { 'HostConfig.UTSMode': 'host' } }],
  userns_mode: [
    { set: { userns_mode: 'host' }, changes: ['userns_mode'], reaches: { 'HostConfig.UsernsMode': 'host' } },
  ],
  cgroup: [
    {
      about: 'other than the default',
      base: { cgroup: 'host' },
      set: { cgroup: 'private' },
      changes: ['cgroup'],
      reaches: { 'HostConfig.CgroupnsMode': 'private' },
    },
  ],
  cgroup_parent: [
    {
      set: { cgroup_parent: '/graft-test' },
      changes: ['cgroup_parent'],
      reaches: { 'HostConfig.CgroupParent': '/graft-test' },
    },
  ],
  sysctls: [
    {
      set: { sysctls: { 'net.ipv4.ip_unprivileged_port_start': '0' } },
      changes: ['sysctls.net.ipv4.ip_unprivileged_port_start'],
      reaches: { 'HostConfig.Sysctls~': { 'net.ipv4.ip_unprivileged_port_start': '0' } },
    },
  ],
  ulimits: [
    {
      set: { ulimits: { nofile: { soft: 512, hard: 1024 } } },
      changes: ['ulimits.nofile'],
      reaches: { 'HostConfig.Ulimits': [{ Name: 'nofile', Soft: 512, Hard: 1024 }] },
    },
  ],
  runtime: [
    {
      about: 'the default said aloud',
      set: { runtime: 'runc' },
      changes: [],
      reaches: { 'HostConfig.Runtime': 'runc' },
    },
  ],
  shm_size: [
    { set: { shm_size: 128 * MB }, changes: ['shm_size'], reaches: { 'HostConfig.ShmSize': 128 * MB } },
    {
      about: 'the default said aloud',
      set: { shm_size: 64 * MB },
      changes: [],
      reaches: { 'HostConfig.ShmSize': 64 * MB },
    },
  ],
  mem_limit: [
    {
      set: { mem_limit: 64 * MB },
      changes: ['mem_limit'],
      mayBeUnsupported: 'mem_limit',
      reaches: { 'HostConfig.Memory': 64 * MB },
    },
  ],
  mem_reservation: [
    {
      set: { mem_reservation: 32 * MB },
      changes: ['mem_reservation'],
      mayBeUnsupported: 'mem_reservation',
      reaches: { 'HostConfig.MemoryReservation': 32 * MB },
    },
  ],
  memswap_limit: [
    {
      base: { mem_limit: 64 * MB },
      set: { mem_limit: 64 * MB, memswap_limit: 96 * MB },
      changes: ['memswap_limit'],
      mayBeUnsupported: 'memswap_limit',
      reaches: { 'HostConfig.MemorySwap': 96 * MB },
    },
    {
      about: 'unlimited',
      base: { mem_limit: 64 * MB },
      set: { mem_limit: 64 * MB, memswap_limit: -1 },
      changes: ['memswap_limit'],
      mayBeUnsupported: 'memswap_limit',
      reaches: { 'HostConfig.MemorySwap': -1 },
    },
  ],
  cpus: [{ set: { cpus: 0.5 }, changes: ['cpus'], mayBeUnsupported: 'cpus', reaches: { 'HostConfig.NanoCpus': 5e8 } }],
  cpu_shares: [
    {
      set: { cpu_shares: 512 },
      changes: ['cpu_shares'],
      mayBeUnsupported: 'cpu_shares',
      reaches: { 'HostConfig.CpuShares': 512 },
    },
  ],
  cpuset: [
    {
      set: { cpuset: '0' },
      changes: ['cpuset'],
      mayBeUnsupported: 'cpuset',
      reaches: { 'HostConfig.CpusetCpus': '0' },
    },
  ],
  pids_limit: [
    {
      set: { pids_limit: 100 },
      changes: ['pids_limit'],
      mayBeUnsupported: 'pids_limit',
      reaches: { 'HostConfig.PidsLimit': 100 },
    },
    { about: 'unlimited', set: { pids_limit: -1 }, changes: [], reaches: {} },
  ],
  oom_score_adj: [
    { set: { oom_score_adj: 100 }, changes: ['oom_score_adj'], reaches: { 'HostConfig.OomScoreAdj': 100 } },
  ],
  oom_kill_disable: [
    {
      base: { mem_limit: 64 * MB },
      set: { mem_limit: 64 * MB, oom_kill_disable: true },
      changes: ['oom_kill_disable'],
      mayBeUnsupported: 'oom_kill_disable',
      reaches: { 'HostConfig.OomKillDisable': true },
    },
  ],
  logging: [
    {
      about: 'driver',
      set: { logging: { driver: 'none', options: {} } },
      changes: ['logging.driver', 'logging.options.max-file', 'logging.options.max-size'],
      reaches: { 'HostConfig.LogConfig': { Type: 'none', Config: {} } },
    },
    {
      about: 'option',
      set: { logging: { driver: 'json-file', options: { 'max-file': '3', 'max-size': '1m' } } },
      changes: ['logging.options.max-size'],
      reaches: { 'HostConfig.LogConfig.Config~': { 'max-size': '1m' } },
    },
  ],
}

/** Cases for an image that has something to say of itself; see `RICH_IMAGE_FACTS`. */
export const RICH_CASES: readonly FieldCase[] = [
  { about: 'nothing set', set: {}, changes: [], reaches: {} },
  { about: 'own command', set: { command: ['sleep', '901'] }, changes: ['command'], reaches: {} },
  { about: 'no command', set: { command: [] }, changes: ['command'], neverStarted: true, reaches: {} },
  {
    about: 'own entry point',
    set: { entrypoint: ['/bin/busybox', 'sleep', '902'] },
    changes: ['command', 'entrypoint'],
    reaches: {},
  },
  {
    about: 'no entry point',
    set: { entrypoint: [], command: ['sleep', '903'] },
    changes: ['command', 'entrypoint'],
    reaches: {},
  },
  {
    about: 'environment over the image',
    set: { environment: { IMAGE: 'mine' } },
    changes: ['environment.IMAGE'],
    reaches: {},
  },
  {
    about: 'label over the image',
    set: { labels: { 'org.example.image': 'mine' } },
    changes: ['labels.org.example.image'],
    reaches: {},
  },
  { about: 'another user', set: { user: '0' }, changes: ['user'], reaches: {} },
  { about: 'another folder', set: { working_dir: '/' }, changes: ['working_dir'], reaches: {} },
  { about: 'another signal', set: { stop_signal: 'SIGUSR2' }, changes: ['stop_signal'], reaches: {} },
  {
    about: 'other timings of its check',
    set: { healthcheck: { interval: 9000 } },
    changes: ['healthcheck.interval'],
    reaches: {},
  },
  {
    about: 'its check switched off',
    set: { healthcheck: { disable: true } },
    changes: ['healthcheck.disable', 'healthcheck.interval', 'healthcheck.retries', 'healthcheck.test'],
    reaches: {},
  },
  {
    about: 'its volume mounted',
    set: { mounts: [{ type: 'volume', source: 'data', target: '/var/lib/rich', read_only: false }] },
    changes: ['volumes./var/lib/rich'],
    reaches: {},
  },
]

/** What an image must declare for `RICH_CASES`. */
export const RICH_IMAGE_FACTS: Omit<ImageFacts, 'id' | 'digests'> = {
  environment: { PATH: '/bin', IMAGE: 'yes' },
  command: ['1000'],
  entrypoint: ['/bin/busybox', 'sleep'],
  user: '1000',
  working_dir: '/tmp',
  labels: { 'org.example.image': 'rich' },
  expose: ['8080/tcp'],
  volumes: ['/var/lib/rich'],
  stop_signal: 'SIGINT',
  healthcheck: { test: ['CMD', 'true'], interval: 7000, retries: 2 },
}

export const OTHER_IMAGE = 'graft-test/other:1'
export const RICH_IMAGE = 'graft-test/rich:1'
export const IMAGES = [BASE_IMAGE, OTHER_IMAGE, RICH_IMAGE]
