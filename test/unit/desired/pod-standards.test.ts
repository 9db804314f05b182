// Each row of the Pod Security Standards: a leaf that keeps to it and one that does not.

import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'

import { STANDARDS, standardFaults, WITHOUT_MEANING } from '../../../src/desired/pod-standards.ts'
import type { Preset } from '../../../src/desired/pod-standards.ts'
import { judgePolicy } from '../../../src/desired/policy-judge.ts'
import { oneLeaf, policyFile, readOne } from './one-leaf.ts'

const ROOT = `ingress: {image: haproxy, generation: 1}
networks: {onhost: {external: true, name: host}}
volumes:
  data: {}
  there: {external: true}
  nfs: {driver_opts: {type: nfs, device: ":/x", o: addr=10.0.0.1}}
  bound: {driver_opts: {type: none, o: bind, device: /srv}}
  plugged: {driver: rexray}
`

/** What makes a leaf keep to `restricted` where it says nothing else of the kind. */
const RESTRICTED: Readonly<Record<string, string>> = {
  user: '"1000"',
  cap_drop: '[ALL]',
  security_opt: '["no-new-privileges:true"]',
}

interface Row {
  readonly row: string
  readonly level: Preset
  readonly allowed: readonly string[]
  readonly refused: readonly string[]
}

const rows: readonly Row[] = [
  {
    row: 'Host Namespaces',
    level: 'baseline',
    allowed: ['', 'network_mode: none', 'ipc: private', 'cgroup: private'],
    refused: [
      'network_mode: host',
      'networks: [onhost]',
      'pid: host',
      'ipc: host',
      'uts: host',
      'cgroup: host',
      'userns_mode: host',
    ],
  },
  { row: 'Privileged Containers', level: 'baseline', allowed: ['privileged: false'], refused: ['privileged: true'] },
  {
    row: 'Capabilities',
    level: 'baseline',
    allowed: [
      'cap_add: [AUDIT_WRITE, CHOWN, DAC_OVERRIDE, FOWNER, FSETID, KILL, MKNOD]',
      'cap_add: [NET_BIND_SERVICE, SETFCAP, SETGID, SETPCAP, SETUID, SYS_CHROOT]',
      'cap_drop: [NET_RAW]',
    ],
    refused: ['cap_add: [NET_RAW]', 'cap_add: [SYS_ADMIN]', 'cap_add: [ALL]', 'cap_add: [CHOWN, net_admin]'],
  },
  {
    row: 'HostPath Volumes',
    level: 'baseline',
    allowed: ['volumes: ["data:/x"]', 'tmpfs: /x', 'volumes: ["nfs:/x"]'],
    refused: [
      'volumes: ["/srv:/x"]',
      'volumes: ["/srv:/x:ro"]',
      'volumes: ["bound:/x"]',
      'devices: [/dev/kvm]',
      'device_cgroup_rules: ["c 1:3 mr"]',
    ],
  },
  {
    row: 'Host Ports',
    level: 'baseline',
    allowed: ['ports: ["8080:80"]', 'expose: ["80"]', 'ports: [{target: 80, published: 8443, mode: host}]'],
    refused: ['ports: ["53:53/udp"]', 'ports: [{target: 80, published: 8080, mode: host}]', 'ports: ["80"]'],
  },
  {
    row: 'AppArmor',
    level: 'baseline',
    allowed: ['security_opt: ["apparmor=docker-default"]', 'security_opt: ["apparmor:own-profile"]'],
    refused: ['security_opt: ["apparmor=unconfined"]', 'security_opt: ["apparmor="]'],
  },
  {
    row: 'SELinux',
    level: 'baseline',
    allowed: [
      ...['container_t', 'container_init_t', 'container_kvm_t', 'container_engine_t'].map(
        (type) => `security_opt: ["label=type:${type}"]`,
      ),
      'security_opt: ["label=level:s0:c1,c2"]',
    ],
    refused: [
      'security_opt: ["label=disable"]',
      'security_opt: ["label=type:spc_t"]',
      'security_opt: ["label=user:system_u"]',
      'security_opt: ["label=role:system_r"]',
    ],
  },
  {
    row: '/proc Mount Type',
    level: 'baseline',
    allowed: ['security_opt: ["no-new-privileges:false"]'],
    refused: [
      'security_opt: ["systempaths=unconfined"]',
      'security_opt: ["unmask=ALL"]',
      'security_opt: ["writable-cgroups=true"]',
    ],
  },
  {
    row: 'Seccomp',
    level: 'baseline',
    allowed: ['security_opt: ["seccomp=builtin"]'],
    refused: ['security_opt: ["seccomp=unconfined"]', `security_opt: ['seccomp={"defaultAction":"SCMP_ACT_ALLOW"}']`],
  },
  {
    row: 'Sysctls',
    level: 'baseline',
    allowed: [
      'sysctls: {kernel.shm_rmid_forced: 1, net.ipv4.ip_local_port_range: "1024 65535", net.ipv4.ip_unprivileged_port_start: 0}',
      'sysctls: {net.ipv4.tcp_syncookies: 1, net.ipv4.ping_group_range: "0 1", net.ipv4.ip_local_reserved_ports: "80"}',
      'sysctls: {net.ipv4.tcp_keepalive_time: 1, net.ipv4.tcp_fin_timeout: 1, net.ipv4.tcp_keepalive_intvl: 1, net.ipv4.tcp_keepalive_probes: 1}',
      'sysctls: {net/ipv4/tcp_syncookies: 1}',
    ],
    refused: ['sysctls: {net.ipv4.ip_forward: 1}', 'sysctls: {kernel.msgmax: 1}', 'sysctls: {net/ipv4/../core: 1}'],
  },
  {
    row: 'Volume Types',
    level: 'restricted',
    allowed: ['volumes: ["data:/x"]', 'volumes: ["there:/x"]', 'tmpfs: /x'],
    refused: ['volumes: ["nfs:/x"]', 'volumes: ["plugged:/x"]'],
  },
  {
    row: 'Privilege Escalation',
    level: 'restricted',
    allowed: ['security_opt: ["no-new-privileges:true"]', 'security_opt: [no-new-privileges]'],
    refused: ['security_opt: []', 'security_opt: ["no-new-privileges:false"]'],
  },
  {
    row: 'Running as Non-root',
    level: 'restricted',
    allowed: ['user: "1000"', 'user: "65534:65534"'],
    refused: ['user: null', 'user: nobody', 'user: "0:1000"'],
  },
  {
    row: 'Running as Non-root user',
    level: 'restricted',
    allowed: ['user: "1"'],
    refused: ['user: "0"', 'user: root', 'user: "00"', 'user: "root:1000"'],
  },
  {
    row: 'Seccomp',
    level: 'restricted',
    allowed: ['security_opt: ["seccomp=builtin", "no-new-privileges:true"]'],
    refused: ['security_opt: ["seccomp=unconfined", "no-new-privileges:true"]'],
  },
  {
    row: 'Capabilities',
    level: 'restricted',
    allowed: ['cap_drop: [ALL]', 'cap_drop: [ALL]\ncap_add: [NET_BIND_SERVICE]'],
    refused: ['cap_drop: []', 'cap_drop: [CHOWN, NET_RAW]', 'cap_drop: [ALL]\ncap_add: [CHOWN]'],
  },
]

describe.each(rows)('$level: $row', ({ row, level, allowed, refused }) => {
  const rule = { preset: level, ports: [{ published: '8400-8499' }] }
  const faultsOf = (keys: string) => {
    const said = keys === 'user: null' ? '' : keys
    const more =
      level === 'baseline' ? [] : Object.entries(RESTRICTED).filter(([key]) => !new RegExp(`^${key}:`, 'm').test(keys))
    const { leaf, tree } = oneLeaf([said, ...more.map(([key, value]) => `${key}: ${value}`)].join('\n'), ROOT)
    return standardFaults(leaf, tree, rule)
  }

  it.each(allowed)('allows %s', (keys) => {
    expect(faultsOf(keys)).toEqual([])
  })

  it.each(refused)('refuses %s', (keys) => {
    const faults = faultsOf(keys)
    expect(faults).not.toEqual([])
    // What two rows forbid is told by the first of them.
    expect(['Running as Non-root user', 'Running as Non-root', 'Seccomp', row]).toContain(faults[0]?.row)
    for (const { says, right } of faults) expect(`${says} ${right}`).toMatch(/\w{3}.* \w{2}/)
  })
})

describe('the rows', () => {
  it('are all here, in the order of the standards', () => {
    expect(rows.map(({ row, level }) => `${level} ${row}`)).toEqual(
      STANDARDS.map(({ row, level }) => `${level} ${row}`),
    )
  })

  it('are in the documentation, each in a line of its own', () => {
    const page = readFileSync(new URL('../../../docs/policy.md', import.meta.url), 'utf8')
    for (const { row, level } of STANDARDS) expect(page).toContain(`| ${level} | ${row} | `)
    for (const { row, because } of WITHOUT_MEANING) expect(page).toContain(`| ${row} | ${because} |`)
  })

  it.each([
    ['isolation: process', 'isolation'],
    ['credential_spec: {file: x}', 'credential_spec'],
    ['healthcheck: {http: {port: 80, host: 10.0.0.1}}', 'host'],
    ['healthcheck: {tcp: {port: 80, host: 10.0.0.1}}', 'host'],
    ['post_start: [{command: x}]', 'post_start'],
    ['pre_stop: [{command: x}]', 'pre_stop'],
  ])('that have no meaning here cannot be asked for: %s', (keys, word) => {
    const { tree, problems } = readOne(keys)
    expect(tree).toBeNull()
    expect(problems.map(({ message }) => message).join()).toContain(word)
  })
})

describe('a preset in a policy', () => {
  it('holds whatever is granted, and says row, rule and remedy', () => {
    const { leaf, tree } = oneLeaf('privileged: true\ncap_add: [NET_ADMIN]')
    const policy = policyFile(
      'grants: [{paths: ["**"], privileged: true, cap_add: [ALL]}]\nrules:\n  - {paths: ["net/**"], preset: baseline}',
    )
    for (const allowed of [false, true]) {
      expect(judgePolicy(leaf, tree, policy, allowed)).toMatchObject({
        severity: 'held',
        leaf: 'agent',
        message:
          'agent is refused by rule 1 at /etc/graft/policy.yaml:4: privileged (baseline, Privileged Containers), cap_add: NET_ADMIN (baseline, Capabilities)',
        remedy:
          'leave it out; or, if this host is to allow it, add net/agent under `except:` of that rule (/etc/graft/policy.yaml:4)',
      })
    }
    const spared = policyFile(
      'grants: [{paths: ["**"], privileged: true, cap_add: [ALL]}]\nrules:\n  - {paths: ["net/**"], except: [net/agent], preset: baseline}',
    )
    expect(judgePolicy(leaf, tree, spared, false)).toBeNull()
  })

  it('restricted lets a careful leaf through', () => {
    const { leaf, tree } = oneLeaf(
      'user: "1000"\ncap_drop: [ALL]\ncap_add: [NET_BIND_SERVICE]\nread_only: true\ntmpfs: /tmp\nsecurity_opt: ["no-new-privileges:true"]\nvolumes: ["data:/x"]',
      'volumes: {data: {}}',
    )
    expect(judgePolicy(leaf, tree, policyFile('rules: [{paths: ["**"], preset: restricted}]'), false)).toBeNull()
  })

  it('restricted says all that a plain leaf lacks at once', () => {
    const { leaf, tree } = oneLeaf('')
    const problem = judgePolicy(leaf, tree, policyFile('rules: [{paths: ["**"], preset: restricted}]'), false)
    for (const words of ['no-new-privileges:true', 'cap_drop: [ALL]', 'user: with a number'])
      expect(problem?.remedy).toContain(words)
  })
})
