// What rules of the host forbid, whatever is granted.

import { describe, expect, it } from 'vitest'

import { isAddressRange, isInRange, isUnspecified } from '../../../src/desired/address-range.ts'
import { matchesImage } from '../../../src/desired/image-rule.ts'
import { judgePolicy } from '../../../src/desired/policy-judge.ts'
import { createReader } from '../../../src/desired/read.ts'
import { oneLeaf, policyFile } from './one-leaf.ts'
import { snapshotOf } from './snapshot-of.ts'

const DIGEST = `sha256:${'a'.repeat(64)}`
const GRANTS =
  'grants: [{paths: ["**"], privileged: true, host_namespaces: [network], cap_add: [ALL], binds: [{source: /srv}]}]\n'

const judged = (rule: string, keys: string) => {
  const { leaf, tree } = oneLeaf(
    keys,
    'ingress: {image: haproxy, generation: 1}\nsecrets: {mine: {host: db/mine}, theirs: {host: other}}',
  )
  return judgePolicy(leaf, tree, policyFile(`${GRANTS}rules:\n  - {paths: ["**"], ${rule}}`), false)
}

const rules: [rule: string, keeps: string, breaks: string, says: string, right: string][] = [
  [
    'images: [quay.io/team/*]',
    'image: quay.io/team/a:1',
    'image: quay.io/team/sub/a',
    'image: quay.io/team/sub/a',
    'quay.io/team/*',
  ],
  ['images: [nginx]', 'image: docker.io/library/nginx:1', 'image: evil/nginx', 'image: evil/nginx', 'one of nginx'],
  ['images: []', '', 'image: a', '', ''],
  ['digest: required', `image: a:1@${DIGEST}`, 'image: a:1', 'its image a:1 names no digest', '@sha256:'],
  [
    'ports: [{published: 8000-8999}]',
    'ports: ["8000:80", "8999:81"]',
    'ports: ["9000:80"]',
    'it publishes the port 9000/tcp on all addresses',
    'publish 8000-8999',
  ],
  ['ports: [{published: 53, protocol: udp}]', 'ports: ["53:53/udp"]', 'ports: ["53:53"]', '53/tcp', 'publish 53/udp'],
  [
    'ports: [{host_ip: 127.0.0.0/8}]',
    'ports: ["127.0.0.1:80:80"]',
    'ports: ["80:80"]',
    'all addresses',
    'any port on 127.0.0.0/8',
  ],
  ['ports: [{host_ip: 0.0.0.0/0}]', 'ports: ["10.1.1.1:80:80"]', 'ports: ["0.0.0.0:80:80"]', 'on 0.0.0.0', 'any port'],
  ['ports: [{published: 80-90}]', '', 'ports: ["80"]', 'a port that the engine chooses/tcp', 'publish 80-90'],
  ['ports: [{published: 0}]', 'ports: ["80"]', 'ports: ["80:80"]', 'the port 80/tcp', 'publish 0'],
  ['ports: []', 'expose: ["80"]', 'ports: ["80:80"]', 'the port 80/tcp', 'leave it out'],
  ['ports: []', '', 'network_mode: host', "it is on the host's network, where it may open any port", 'publish ports'],
  ['mem_limit: {most: 2g}', 'mem_limit: 2048m', 'mem_limit: 2049m', 'mem_limit: 2049m', 'write mem_limit: 2g or less'],
  ['mem_limit: {most: 2g}', 'mem_limit: 6m', '', 'it has no mem_limit', 'write mem_limit: 2g or less'],
  ['mem_limit: required', 'mem_limit: 90g', 'mem_limit: 0', 'it has no mem_limit', 'write mem_limit'],
  ['cpus: {most: 1.5}', 'cpus: 1.5', 'cpus: 1.6', 'cpus: 1.6', 'write cpus: 1.5 or less'],
  ['pids_limit: {most: 100}', 'pids_limit: 100', 'pids_limit: -1', 'it has no pids_limit', 'pids_limit: 100 or less'],
  ['pids_limit: required', 'pids_limit: 9', '', 'it has no pids_limit', 'write pids_limit'],
  ['user: non-root', 'user: "1000:0"', 'user: "0"', 'user: 0', 'a number other than 0'],
  ['user: non-root', 'user: 1000', 'user: www', 'is a name', 'a number other than 0'],
  ['user: non-root', 'user: 1000', '', 'it has no user', 'a number other than 0'],
  [
    'cap_add: [CAP_NET_ADMIN]',
    'cap_add: [NET_ADMIN]',
    'cap_add: [SYS_TIME]',
    'cap_add: SYS_TIME',
    'none but NET_ADMIN',
  ],
  ['cap_add: []', 'cap_add: []', 'cap_add: [CHOWN]', 'cap_add: CHOWN', 'leave it out'],
  ['cap_add: []', '', 'privileged: true', 'privileged has every capability', 'leave it out'],
  ['cap_drop: [ALL]', 'cap_drop: [ALL]', 'cap_drop: [CHOWN]', 'it keeps capabilities', 'cap_drop: [ALL]'],
  [
    'cap_drop: [MKNOD]',
    'cap_drop: [MKNOD]',
    'cap_drop: [MKNOD]\ncap_add: [MKNOD]',
    'cap_add: MKNOD takes back what is to be dropped',
    'leave it out',
  ],
  [
    'cap_drop: [net_raw, MKNOD]',
    'cap_drop: [NET_RAW, MKNOD]',
    'cap_drop: [MKNOD]',
    'it keeps NET_RAW',
    'cap_drop: [NET_RAW]',
  ],
  ['cap_drop: [NET_RAW]', 'cap_drop: [ALL]', '', 'it keeps NET_RAW', 'cap_drop: [NET_RAW]'],
  ['read_only: required', 'read_only: true', 'read_only: false', 'file system is writable', 'read_only: true'],
  [
    'host_secrets: [db/*]',
    'secrets: [mine]',
    'secrets: [mine, theirs]',
    "refused by rule 1 at /etc/graft/policy.yaml:4: the host's secret other",
    'take one of db/*',
  ],
  [
    'mem_limit: {most: 1g}',
    'mem_limit: 1g',
    'mem_limit: 1g\nmemswap_limit: -1',
    'swap without a limit',
    'leave it out',
  ],
  ['host_secrets: []', '', 'environment: {A: {secret: mine}}', "the host's secret db/mine", 'leave it out'],
  [
    'no_new_privileges: required',
    'security_opt: ["no-new-privileges:true"]',
    '',
    'may gain privileges',
    'no-new-privileges:true',
  ],
]

describe('a rule', () => {
  it.each(rules)('%s: %j keeps it, %j does not', (rule, keeps, breaks, says, right) => {
    if (keeps !== breaks && rule !== 'images: []') expect(judged(rule, keeps)).toBeNull()
    const problem = judged(rule, breaks)
    expect(problem).toMatchObject({ severity: 'held', leaf: 'agent', file: 'net/agent.yaml' })
    expect(problem?.message).toContain(`agent is refused by rule 1 at /etc/graft/policy.yaml:4: `)
    expect(problem?.message).toContain(says)
    expect(problem?.remedy).toContain(right)
    expect(problem?.remedy).toContain('add net/agent under `except:` of that rule (/etc/graft/policy.yaml:4)')
  })

  it('holds by path, spares what it excepts, and all that match add up', () => {
    const { leaf, tree } = oneLeaf('')
    const judge = (text: string) => judgePolicy(leaf, tree, policyFile(`rules:\n${text}`), false)?.message ?? null
    expect(judge('  - {paths: [agent], mem_limit: required}')).toBeNull()
    expect(judge('  - {paths: ["**"], except: ["net/*"], mem_limit: required}')).toBeNull()
    const two = judge('  - {paths: ["**"], mem_limit: required}\n  # more\n  - {paths: [net/agent], digest: required}')
    expect(two).toContain('rule 1 at /etc/graft/policy.yaml:3: it has no mem_limit')
    expect(two).toContain('rule 2 at /etc/graft/policy.yaml:5: its image x names no digest')
  })

  it('tells the reason that the host gives', () => {
    expect(judged('because: "audit 7", digest: required', '')?.message).toContain(
      'rule 1 at /etc/graft/policy.yaml:4 (audit 7): ',
    )
  })

  it('is told beside what is not granted', () => {
    const { leaf, tree } = oneLeaf('pid: host')
    const policy = policyFile('rules: [{paths: ["**"], read_only: required}]')
    const problem = judgePolicy(leaf, tree, policy, false)
    expect(problem?.message).toContain(
      "agent asks for pid: host, and this host's policy does not grant it; agent is refused by",
    )
    expect(problem?.remedy).toMatch(
      /^write read_only: true.*; and if this host .* \(\/etc\/graft\/policy\.yaml\): - \{paths: \[net\/agent\], host_namespaces: \[pid\]\}$/,
    )
    expect(judgePolicy(leaf, tree, policy, true)?.message).not.toContain('pid')
  })
})

describe('matchesImage', () => {
  it.each([
    ['**', 'a', true],
    ['**', 'quay.io/a/b/c:1', true],
    ['*', 'nginx', true],
    ['*', 'team/nginx', false],
    ['nginx', 'nginx:1.2', true],
    ['docker.io/nginx', 'nginx', true],
    ['docker.io/**', 'team/x', true],
    ['docker.io/**', 'quay.io/team/x', false],
    ['team/*', 'team/x', true],
    ['team/*', 'docker.io/team/x', true],
    ['team/*', 'quay.io/team/x', false],
    ['*.example.org/**', 'a.example.org/x/y', true],
    ['*.example.org/**', 'evil.org/a.example.org/x', false],
    ['registry:5000/**', 'registry:5000/x:1', true],
    ['registry:5000/**', 'registry:5001/x:1', false],
    ['localhost/*', 'localhost/x', true],
    ['nginx:1.*', 'nginx:1.27', true],
    ['nginx:1.*', 'nginx:2', false],
    ['nginx:1.*', `nginx@${DIGEST}`, false],
    [`nginx@${DIGEST}`, `nginx:1@${DIGEST}`, true],
    [`nginx@${DIGEST}`, 'nginx:1', false],
    ['nginx@*', `nginx@${DIGEST}`, true],
    ['quay.io/team/*', 'quay.io/team/../other/x', false],
    ['**', 'Not An Image', false],
  ])('%s %s: %s', (pattern, image, expected) => {
    expect(matchesImage(pattern, image)).toBe(expected)
  })
})

describe('ranges of addresses', () => {
  it.each([
    ['10.0.0.5', '10.0.0.5', true],
    ['10.0.0.5', '10.0.0.6', false],
    ['10.1.2.3', '10.0.0.0/8', true],
    ['11.1.2.3', '10.0.0.0/8', false],
    ['10.1.2.3', '0.0.0.0/0', true],
    ['::1', '::1/128', true],
    ['fd12::1', 'fd00::/8', true],
    ['fe80::1', 'fd00::/8', false],
    ['::ffff:a00:1', '10.0.0.0/8', true],
    ['2001:db8::1', '2001:db8:0:0:0:0:0:1', true],
    ['::1', '0.0.0.0/0', false],
    ['10.0.0.1', 'fd00::/8', false],
    ['here', '10.0.0.0/8', false],
  ])('%s in %s: %s', (address, range, expected) => {
    expect(isInRange(address, range)).toBe(expected)
  })

  it.each(['10.0.0.0/33', '::/129', '10.0.0', 'a/8', '10.0.0.0/', '10.0.0.0/8/8', ''])('%j is none', (text) => {
    expect(isAddressRange(text)).toBe(false)
  })

  it('knows what stands for all', () => {
    expect(['0.0.0.0', '::', '0:0:0:0:0:0:0:0'].map(isUnspecified)).toEqual([true, true, true])
    expect(['127.0.0.1', '::1'].map(isUnspecified)).toEqual([false, false])
  })
})

it('of secrets are also about what a leaf sees of those in its process namespace', () => {
  const files = {
    'deployment.yaml': 'name: shop\nformat: 1\nsecrets: {mine: {host: db/mine}}\n',
    'db.yaml': 'generation: 1\nimage: x\nsecrets: [mine]\n',
    'spy.yaml': 'generation: 1\nimage: x\npid: service:db\n',
    'other.yaml': 'generation: 1\nimage: x\n',
  }
  const { tree } = createReader().read(snapshotOf(files), { host: null })
  const policy = policyFile('rules:\n  - {paths: ["**"], except: [db], host_secrets: []}')
  const problem = (name: string) => {
    const leaf = tree?.leaves.get(name)
    if (tree == null || leaf === undefined) throw new Error('no tree')
    return judgePolicy(leaf, tree, policy, false)
  }
  expect(problem('spy')?.message).toContain("the host's secret db/mine")
  expect([problem('db'), problem('other')]).toEqual([null, null])
})
