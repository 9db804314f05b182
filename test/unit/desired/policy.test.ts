// What a leaf asks for, and whether the host's policy gives it.

import { describe, expect, it } from 'vitest'

import { matchesGlob } from '../../../src/desired/glob.ts'
import { judgePolicy, removalLimit } from '../../../src/desired/policy-judge.ts'
import { NO_POLICY, parsePolicy } from '../../../src/desired/policy.ts'
import type { Policy } from '../../../src/desired/policy.ts'
import { privilegesOf } from '../../../src/desired/privileges.ts'
import { createReader } from '../../../src/desired/read.ts'
import { snapshotOf } from './snapshot-of.ts'

const DEPLOYMENT = `name: shop
format: 1
networks:
  out: {external: true}
  lan: {driver: macvlan}
  onhost: {external: true, name: host}
  wired: {driver_opts: {com.docker.network.bridge.name: br0}}
  planned: {ipam: {driver: dhcp}}
  chosen: {ipam: {config: [{subnet: 10.9.8.0/25, gateway: 10.9.8.1}]}}
  plain: {driver_opts: {com.docker.network.driver.mtu: "1400"}}
volumes:
  data: {}
  nfs: {driver_opts: {type: nfs}}
  there: {external: true}
  bound: {driver_opts: {type: none, o: bind, device: /srv/y}}
  hidden: {driver_opts: {type: nfs, o: "ro,bind", device: /run/docker.sock}}
  disk: {driver_opts: {type: ext4, device: /dev/sdb}}
  layers: {driver_opts: {type: overlay, o: "lowerdir=/etc:/srv/a,upperdir=/srv/b,workdir=/srv/c", device: overlay}}
`

function leafOf(keys: string) {
  const files = {
    'deployment.yaml': DEPLOYMENT,
    'net/set.yaml': '{}',
    'net/agent.yaml': `generation: 1\nimage: x\n${keys}\n`,
  }
  const { tree, problems } = createReader().read(snapshotOf(files), { host: null })
  const leaf = tree?.leaves.get('agent')
  if (tree === null || leaf === undefined) throw new Error(JSON.stringify(problems))
  return { tree, leaf }
}

function policyOf(grant: string): Policy {
  const { policy, problems } = parsePolicy(
    `format: 1\ngrants:\n  - {paths: ["net/*"], ${grant}}\n`,
    'graft.policy.yaml',
  )
  expect(problems).toEqual([])
  if (policy === null) throw new Error('no policy')
  return policy
}

const cases: [keys: string, text: string, grant: string, less: string][] = [
  ['privileged: true', 'privileged', 'privileged: true', 'privileged: false'],
  ['network_mode: host', 'network: host', 'host_namespaces: [network]', 'host_namespaces: [pid]'],
  ['pid: host', 'pid: host', 'host_namespaces: [pid]', 'host_namespaces: [ipc]'],
  ['ipc: host', 'ipc: host', 'host_namespaces: [ipc]', 'host_namespaces: [pid]'],
  ['uts: host', 'uts: host', 'host_namespaces: [uts]', 'host_namespaces: [pid]'],
  ['cgroup: host', 'cgroup: host', 'host_namespaces: [cgroup]', 'host_namespaces: [pid]'],
  ['userns_mode: host', 'userns_mode: host', 'host_namespaces: [userns]', 'host_namespaces: [pid]'],
  ['cap_add: [NET_ADMIN]', 'cap_add: NET_ADMIN', 'cap_add: [NET_ADMIN]', 'cap_add: [NET_RAW]'],
  ['cap_add: [ALL]', 'cap_add: ALL', 'cap_add: [ALL]', 'cap_add: [NET_RAW]'],
  ['devices: [/dev/kvm]', 'device: /dev/kvm', 'devices: [/dev/*]', 'devices: [/dev/k]'],
  ['volumes: ["/run:/run:shared"]', 'bind: /run (shared)', 'binds: [{source: /run}]', 'binds: [{source: /run/**}]'],
  [
    'volumes: ["/lib/modules:/lib/modules:ro"]',
    'bind: /lib/modules (read-only)',
    'binds: [{source: /lib/*, read_only: true}]',
    'binds: [{source: /lib}]',
  ],
  [
    'volumes: ["/srv/x:/x"]',
    'bind: /srv/x',
    'binds: [{source: /srv/**}]',
    'binds: [{source: /srv/**, read_only: true}]',
  ],
  [
    'volumes: ["/var/run/docker.sock:/d.sock"]',
    'bind: /var/run/docker.sock',
    'engine_socket: true',
    'binds: [{source: /**}, {source: /var/run/*}], host_root: true',
  ],
  [
    'security_opt: ["apparmor=unconfined"]',
    'security_opt: apparmor=unconfined',
    'security_opt: ["apparmor=unconfined"]',
    'security_opt: ["label=disable"]',
  ],
  ['networks: [out]', 'external network: out', 'external_networks: [o*]', 'external_networks: [lan]'],
  ['networks: [lan]', 'network driver: macvlan', 'network_drivers: [macvlan]', 'network_drivers: [ipvlan]'],
  ['volumes: ["there:/x"]', 'external volume: there', 'external_volumes: [there]', 'external_volumes: [nfs]'],
  ['volumes: ["nfs:/x"]', 'volume driver options: nfs', 'volume_drivers: [local]', 'volume_drivers: [other]'],
  ['runtime: nvidia', 'runtime: nvidia', 'runtimes: [nvidia]', 'runtimes: [runc]'],
  ['logging: {driver: syslog}', 'logging driver: syslog', 'logging_drivers: [syslog]', 'logging_drivers: [gelf]'],
  ['cgroup_parent: x.slice', 'cgroup_parent: x.slice', 'cgroup_parents: [x.slice]', 'cgroup_parents: [y.slice]'],
  ['volumes: ["/:/host"]', 'bind: /', 'host_root: true', 'host_root: read_only, binds: [{source: /**}]'],
  ['volumes: ["/:/host:ro"]', 'bind: / (read-only)', 'host_root: read_only', 'engine_socket: true'],
  ['volumes: ["/x/../:/host"]', 'bind: /', 'host_root: true', 'binds: [{source: /x}]'],
  [
    'volumes: ["/srv/x:/x:Z"]',
    'bind: /srv/x (relabelled for SELinux)',
    'binds: [{source: /srv/x, relabel: true}]',
    'binds: [{source: /srv/x}]',
  ],
  ['volumes: ["bound:/x"]', 'bind: /srv/y (volume bound)', 'binds: [{source: /srv/*}]', 'volume_drivers: [local]'],
  [
    'volumes: ["hidden:/x"]',
    'bind: /run/docker.sock (volume hidden)',
    'engine_socket: true',
    'volume_drivers: [local]',
  ],
  ['sysctls: {net.core.somaxconn: 9}', 'sysctl: net.core.somaxconn', 'sysctls: ["net.core.*"]', 'sysctls: [net.core]'],
  ['sysctls: {net/ipv4/ip_forward: 1}', 'sysctl: net.ipv4.ip_forward', 'sysctls: ["net.ipv4.*"]', 'sysctls: ["net/*"]'],
  [
    'annotations: {run.oci.handler: krun}',
    'annotation: run.oci.handler',
    'annotations: ["run.oci.*"]',
    'annotations: [run]',
  ],
  [
    'security_opt: ["systempaths=unconfined"]',
    'security_opt: systempaths=unconfined',
    'security_opt: ["systempaths=*"]',
    'security_opt: [systempaths]',
  ],
  [
    'security_opt: ["no-new-privileges:false"]',
    'security_opt: no-new-privileges=false',
    'security_opt: ["no-new-privileges=false"]',
    'security_opt: ["no-new-privileges=true"]',
  ],
  [
    `security_opt: ['seccomp={"defaultAction":"SCMP_ACT_ALLOW"}']`,
    'security_opt: seccomp={"defaultAction":"SCMP_ACT_ALLOW"}',
    `security_opt: ["seccomp={*"]`,
    'security_opt: ["seccomp=unconfined"]',
  ],
  ['networks: [wired]', 'network driver options: wired', 'network_drivers: [bridge]', 'network_drivers: [macvlan]'],
  ['networks: [planned]', 'ipam driver: dhcp', 'network_drivers: [dhcp]', 'network_drivers: [bridge]'],
  ['networks: [chosen]', 'subnet: 10.9.8.0/25', 'subnets: [10.9.0.0/16]', 'subnets: [10.9.8.0/26, 10.9.9.0/24]'],
  ['ulimits: {rtprio: 99, nofile: 1024}', 'ulimit: rtprio', 'ulimits: [rtprio]', 'ulimits: [nice]'],
  [
    'security_opt: ["seccomp=builtin"]',
    'security_opt: seccomp=builtin',
    'security_opt: ["seccomp=builtin"]',
    'oom: true',
  ],
  ['oom_score_adj: -500', 'oom_score_adj: -500', 'oom: true', 'oom: false'],
]

describe('each privilege', () => {
  it.each(cases)('%s', (keys, text, grant, less) => {
    const { tree, leaf } = leafOf(keys)
    expect(privilegesOf(leaf, tree).map((privilege) => privilege.text)).toEqual([text])
    for (const policy of [NO_POLICY, policyOf(less)]) {
      const problem = judgePolicy(leaf, tree, policy, false)
      expect(problem).toMatchObject({ severity: 'held', leaf: 'agent', file: 'net/agent.yaml' })
      expect(problem?.message).toContain(text)
      // What the remedy says to add is enough.
      const added = /policy file \(.*?\): (- \{.*\})$/.exec(problem?.remedy ?? '')?.[1]
      const mended = parsePolicy(`format: 1\ngrants:\n  ${added}\n`, 'p').policy
      expect(mended && judgePolicy(leaf, tree, mended, false)).toBeNull()
    }
    expect(judgePolicy(leaf, tree, policyOf(grant), false)).toBeNull()
    expect(judgePolicy(leaf, tree, NO_POLICY, true)).toBeNull()
  })

  it.each([
    'user: "1"',
    'volumes: ["data:/x"]',
    'tmpfs: /run',
    'security_opt: ["no-new-privileges:true"]',
    'cap_drop: [ALL]',
    'cap_drop: [ALL]\ncap_add: [NET_BIND_SERVICE, CHOWN]',
    'security_opt: ["apparmor=docker-default", "label=type:container_t"]',
    'sysctls: {net.ipv4.ip_unprivileged_port_start: 0, net.ipv4.tcp_keepalive_time: 60, kernel.shm_rmid_forced: 1}',
    'group_add: [docker, 0]',
    'networks: [plain]',
    'ports: ["80:80"]',
    'oom_score_adj: 500',
    'logging: {driver: local}',
  ])('%s is none', (keys) => {
    const { tree, leaf } = leafOf(keys)
    expect(privilegesOf(leaf, tree)).toEqual([])
  })

  it.each([
    ['networks: [onhost]', ['network: host', 'external network: host']],
    ['volumes: ["disk:/x"]', ['volume driver options: disk', 'device: /dev/sdb (volume disk)']],
    [
      'volumes: ["layers:/x"]',
      [
        'volume driver options: layers',
        ...['/etc', '/srv/a', '/srv/b', '/srv/c'].map((path) => `bind: ${path} (volume layers)`),
      ],
    ],
  ])('%s is more than one', (keys, texts) => {
    const { tree, leaf } = leafOf(keys)
    expect(privilegesOf(leaf, tree).map(({ text }) => text)).toEqual(texts)
  })

  it('is also what a leaf would have through the one that it joins', () => {
    const files = {
      'deployment.yaml': 'name: shop\nformat: 1\n',
      'aa.yaml': 'generation: 1\nimage: x\nnetwork_mode: service:bb\npid: service:cc\n',
      'bb.yaml': 'generation: 1\nimage: x\nnetwork_mode: service:cc\n',
      'cc.yaml': 'generation: 1\nimage: x\nnetwork_mode: host\npid: host\n',
    }
    const reader = createReader()
    const { tree, problems } = reader.read(snapshotOf(files), { host: null })
    const texts = (name: string) => {
      const leaf = tree?.leaves.get(name)
      if (tree === null || leaf === undefined) throw new Error(JSON.stringify(problems))
      return privilegesOf(leaf, tree).map(({ text }) => text)
    }
    expect(texts('cc')).toEqual(['network: host', 'pid: host'])
    expect(texts('bb')).toEqual(['network: host (through cc)'])
    expect(texts('aa')).toEqual(['network: host (through cc)', 'pid: host (through cc)'])
    // The leaf itself is the same object; what it joins is not.
    const off = reader.read(snapshotOf({ ...files, 'cc.yaml': 'generation: 2\nimage: x\n' }), { host: null }).tree
    const same = off?.leaves.get('bb')
    expect(off && same && privilegesOf(same, off)).toEqual([])
  })

  it('is what its companions in one process namespace have mounted, and the networks that it joins', () => {
    const more = 'networks: {lan: {driver: macvlan}}\n'
    const files = {
      'deployment.yaml': `name: shop\nformat: 1\n${more}`,
      'aa.yaml': 'generation: 1\nimage: x\npid: service:bb\n',
      'bb.yaml': 'generation: 1\nimage: x\npid: service:cc\nvolumes: ["/run:/run"]\n',
      'cc.yaml': 'generation: 1\nimage: x\nnetworks: [lan]\n',
      'dd.yaml': 'generation: 1\nimage: x\nnetwork_mode: service:cc\n',
    }
    const { tree, problems } = createReader().read(snapshotOf(files), { host: null })
    const texts = (name: string) => {
      const leaf = tree?.leaves.get(name)
      if (tree === null || leaf === undefined) throw new Error(JSON.stringify(problems))
      return privilegesOf(leaf, tree).map(({ text }) => text)
    }
    expect(texts('aa')).toEqual(['bind: /run (through bb)'])
    expect(texts('bb')).toEqual(['bind: /run'])
    // What joins it is seen by the owner, too.
    expect(texts('cc')).toEqual(['bind: /run (through bb)', 'network driver: macvlan'])
    expect(texts('dd')).toEqual(['network driver: macvlan (through cc)'])
  })

  it('of very many leaves in one process namespace is a namespace of the host', () => {
    const files: Record<string, string> = {
      'deployment.yaml': 'name: shop\nformat: 1\n',
      'l0.yaml': 'generation: 1\nimage: x\n',
    }
    for (let index = 1; index < 3_000; index++)
      files[`l${index}.yaml`] = `generation: 1\nimage: x\npid: service:l${index - 1}\nvolumes: ["/srv/${index}:/srv"]\n`
    const { tree } = createReader().read(snapshotOf(files), { host: null })
    const begun = performance.now()
    const found = [...(tree?.leaves.values() ?? [])].map((leaf) => tree && privilegesOf(leaf, tree))
    expect(performance.now() - begun).toBeLessThan(1_000)
    expect(found.at(-1)?.map(({ text }) => text)).toEqual(['bind: /srv/999', 'pid: shared by 3000 leaves'])
  }, 30_000)

  it('is given by path only, and grants add up', () => {
    const { tree, leaf } = leafOf('privileged: true\npid: host')
    const text = (first: string, second: string): string =>
      `format: 1\ngrants:\n  - {paths: [${first}], privileged: true}\n  - {paths: [${second}], host_namespaces: [pid]}\n`
    const judge = (first: string, second: string) =>
      judgePolicy(leaf, tree, parsePolicy(text(first, second), 'p').policy ?? NO_POLICY, false)
    expect(judge('net/agent', '"**"')).toBeNull()
    expect(judge('other/*', '"net/**"')?.message).toContain('asks for privileged, and')
  })
})

describe('parsePolicy', () => {
  it.each([
    ['format: 2\n', 'p.yaml:1:9', /format: 1/],
    ['', 'p.yaml:null:null', /empty/],
    ['format: 1\nremoval_limit: many\n', 'p.yaml:2:16', /25%/],
    ['format: 1\ngrant: []\n', 'p.yaml:2:1', /did you mean grants/],
    ['format: 1\ngrants:\n  - {paths: [a], priviledged: true}\n', 'p.yaml:3:18', /did you mean privileged/],
    ['format: 1\ngrants:\n  - {paths: [a], host_namespaces: [net]}\n', 'p.yaml:3:36', /network, pid/],
    ['format: 1\ngrants:\n  - {paths: [a], privileged: maybe}\n', 'p.yaml:3:30', /true or false/],
    ['format: [\n', 'p.yaml:2:1', /not closed/],
    ['format: 1\ngrants:\n  - {paths: [a], binds: [{source: /}]}\n', 'p.yaml:3:35', /never gives the root.*host_root/],
    [
      'format: 1\ngrants:\n  - {paths: [a], binds: [{source: /var/run/docker.sock}]}\n',
      'p.yaml:3:35',
      /engine’s socket.*engine_socket/,
    ],
    ['format: 1\ngrants:\n  - {paths: [a], binds: [{source: srv}]}\n', 'p.yaml:3:35', /starts with \//],
    ['format: 1\ngrants:\n  - {paths: [a], binds: [{source: /srv, readonly: true}]}\n', 'p.yaml:3:41', /read_only/],
    ['format: 1\ngrants:\n  - {paths: [a], host_root: maybe}\n', 'p.yaml:3:29', /host_root: read_only/],
    ['format: 1\nrules:\n  - {preset: baseline}\n', 'p.yaml:3:5', /paths/],
    ['format: 1\nrules:\n  - {paths: [a], preset: strict}\n', 'p.yaml:3:26', /baseline, restricted/],
    ['format: 1\nrules:\n  - {paths: [a], image: [b]}\n', 'p.yaml:3:18', /did you mean images/],
    ['format: 1\nrules:\n  - {paths: [a], mem_limit: {most: much}}\n', 'p.yaml:3:36', /512m or 2g/],
    ['format: 1\nrules:\n  - {paths: [a], mem_limit: {least: 1g}}\n', 'p.yaml:3:30', /the keys here are most/],
    ['format: 1\nrules:\n  - {paths: [a], cpus: 2}\n', 'p.yaml:3:24', /cpus: \{most: 2\}/],
    ['format: 1\nrules:\n  - {paths: [a], ports: [{published: http}]}\n', 'p.yaml:3:38', /8000-8999/],
    ['format: 1\nrules:\n  - {paths: [a], ports: [{host_ip: here}]}\n', 'p.yaml:3:36', /10\.0\.0\.0\/8/],
    ['format: 1\nrules:\n  - {paths: [a], user: root}\n', 'p.yaml:3:24', /non-root/],
  ])('%j', (text, place, words) => {
    const { policy, problems } = parsePolicy(text, 'p.yaml')
    expect(policy).toBeNull()
    expect(
      problems.map(({ file, line, column, message, remedy }) => `${file}:${line}:${column} ${message} ${remedy}`),
    ).toEqual([expect.stringContaining(place)])
    expect(`${problems[0]?.message} ${problems[0]?.remedy}`).toMatch(words)
  })
})

describe('removalLimit', () => {
  it.each([
    [undefined, null, 4, 3],
    [undefined, null, 100, 25],
    [7, null, 100, 7],
    ['10%', null, 100, 10],
    [7, 2, 100, 2],
    [7, 50, 100, 7],
    [0, null, 100, 0],
  ])('policy %s, repository %s, %i managed: %i', (host, own, managed, expected) => {
    const policy: Policy = host === undefined ? NO_POLICY : { format: 1, removal_limit: host }
    expect(removalLimit(policy, { removal_limit: own }, managed)).toBe(expected)
  })
})

describe('matchesGlob', () => {
  it.each([
    ['a/b', 'a/b', true],
    ['a/b', 'a/b/c', false],
    ['a/*', 'a/b', true],
    ['a/*', 'a/b/c', false],
    ['a/**', 'a/b/c', true],
    ['a/**', 'a', false],
    ['**', 'a/b', true],
    ['**/c', 'a/b/c', true],
    ['**/c', 'c', true],
    ['a/**/c', 'a/c', true],
    ['a/**/c', 'a/b/d/c', true],
    ['a/**/c', 'a/b/d', false],
    ['nova-*', 'nova-api', true],
    ['n?va', 'nova', true],
    ['n.va', 'nova', false],
    ['/run/**', '/run/netns', true],
    ['/run/**', '/running', false],
    ['*', 'a/b', false],
    ['**/**/x', 'x', true],
  ])('%s %s: %s', (pattern, path, expected) => {
    expect(matchesGlob(pattern, path)).toBe(expected)
  })

  it('takes no longer for a pattern that means harm', () => {
    const start = performance.now()
    expect(matchesGlob(`${'*a'.repeat(200)}b`, 'a'.repeat(5000))).toBe(false)
    expect(matchesGlob(Array(50).fill('**').join('/'), Array(200).fill('a').join('/'))).toBe(true)
    expect(performance.now() - start).toBeLessThan(1000)
  })
})
