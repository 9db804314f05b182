// `ingress` in deployment.yaml: a leaf like any other, the load balancer's own settings, and every mistake with its words.

import { describe, expect, it } from 'vitest'

import { ingressPortsOf } from '../../../src/desired/ingress-names.ts'
import { judgeLeaf } from '../../../src/desired/ledger-judge.ts'
import { EMPTY_LEDGER, extendLedger, leafClaims } from '../../../src/desired/ledger.ts'
import { judgePolicy } from '../../../src/desired/policy-judge.ts'
import { NO_POLICY, parsePolicy } from '../../../src/desired/policy.ts'
import type { Policy } from '../../../src/desired/policy.ts'
import { createReader } from '../../../src/desired/read.ts'
import type { Leaf, Tree } from '../../../src/desired/tree.ts'
import { CONFIG_PATH, SOCKET_FOLDER, SOCKET_PATH } from '../../../src/plan/ingress-config.ts'
import { snapshotOf } from './snapshot-of.ts'

type Files = Record<string, string>

const PLAIN = 'ingress:\n  image: haproxy:3.2\n  generation: 1\n'
const WEB = 'generation: 1\nimage: nginx\n'
const deployment = (more: string) => ({ 'deployment.yaml': `name: shop\n${more}` })

function treeOf(files: Files, host: ReadonlyMap<string, string> | null = null): Tree {
  const { tree, problems } = createReader().read(snapshotOf(files), { host })
  expect(problems).toEqual([])
  if (tree === null) throw new Error('no tree')
  return tree
}

function ingressOf(tree: Tree): Leaf {
  const leaf = tree.leaves.get('ingress')
  if (leaf === undefined) throw new Error('no ingress')
  return leaf
}

function toldOf(files: Files): string[] {
  return createReader()
    .read(snapshotOf(files), { host: null })
    .problems.map(({ file, line, message, remedy }) => `${file}:${line} ${message} | ${remedy}`)
}

describe('an ingress', () => {
  it('is a leaf of the root, declared in deployment.yaml', () => {
    const tree = treeOf({ ...deployment(PLAIN), 'aa.yaml': WEB, 'web.yaml': WEB })
    expect([...tree.leaves.keys()]).toEqual(['aa', 'ingress', 'web'])
    expect(tree.root.leaves).toContain('ingress')
    expect(ingressOf(tree)).toMatchObject({
      name: 'ingress',
      kind: 'container',
      file: 'deployment.yaml',
      set: '',
      generation: 1,
      generationLine: 4,
      digestComment: null,
      pull_policy: 'missing',
      probe: { kind: 'ingress', port: 1936 },
      update: { order: null, deadline: 120_000, drain: 3000, measure: false },
      spec: {
        image: 'haproxy:3.2',
        entrypoint: ['haproxy'],
        command: ['-W', '-db', '-f', CONFIG_PATH, '-x', SOCKET_PATH],
        user: '0',
        network_mode: 'host',
        networks: {},
        ports: [],
        init: false,
        restart: 'always',
        cap_drop: ['ALL'],
        cap_add: ['KILL', 'NET_BIND_SERVICE', 'SETGID', 'SETUID'],
        mounts: [{ type: 'volume', source: 'ingress-sockets', target: SOCKET_FOLDER, read_only: false }],
        stop_signal: 'SIGUSR1',
        stop_grace_period: 10_000,
      },
    })
    expect(tree.ingress).toEqual({
      leaf: 'ingress',
      checkPort: 1936,
      ipv6: true,
      timeouts: { connect: 5000, tcp: 86_400_000, http: 600_000, keep_alive: 60_000 },
    })
    expect(tree.volumes.get('ingress-sockets')).toMatchObject({ name: 'shop_ingress-sockets', external: false })
    expect(tree.networks.has('default')).toBe(true)
  })

  it('is not there where nobody asks for one, nor is its volume', () => {
    const tree = treeOf({ ...deployment(''), 'ingress.yaml': WEB })
    expect(tree.ingress).toBeNull()
    expect(ingressOf(tree).file).toBe('ingress.yaml')
    expect(treeOf(deployment('')).volumes.size).toBe(0)
  })

  it('may say everything', () => {
    const tree = treeOf(
      deployment(`ingress:
  image: haproxy:3.2
  generation: 7 # 3fa91c
  check_port: 2000
  ipv6: false
  timeout: {connect: 1s, tcp: 1h, http: 30s, keep_alive: 500ms}
  drain: 1m
  mem_limit: 256m
  cpus: 1.5
  logging: {driver: local}
  labels: {team: edge}
  environment: {TZ: UTC}
  pull_policy: always
  update: {deadline: 30s}
  x-note: nobody reads this
`),
    )
    expect(tree.ingress).toEqual({
      leaf: 'ingress',
      checkPort: 2000,
      ipv6: false,
      timeouts: { connect: 1000, tcp: 3_600_000, http: 30_000, keep_alive: 500 },
    })
    expect(ingressOf(tree)).toMatchObject({
      generation: 7,
      generationLine: 4,
      digestComment: '3fa91c',
      pull_policy: 'always',
      probe: { port: 2000 },
      update: { deadline: 30_000, drain: 3000 },
      spec: {
        stop_grace_period: 60_000,
        mem_limit: 256 * 1024 ** 2,
        cpus: 1.5,
        logging: { driver: 'local', options: {} },
        labels: { team: 'edge' },
        environment: { TZ: 'UTC' },
      },
    })
  })

  it('in flow form has its digest comment behind the bracket', () => {
    const { digestComment, generationLine } = ingressOf(
      treeOf(deployment('ingress: {image: haproxy, generation: 1} # 3fa91c\n')),
    )
    expect([digestComment, generationLine]).toEqual(['3fa91c', 2])
  })

  it('keeps its digest whatever the settings are that reach HAProxy by its configuration', () => {
    const digest = (more: string): string => ingressOf(treeOf(deployment(`${PLAIN}${more}`))).ledgerDigest
    for (const more of [
      '  check_port: 2000\n',
      '  ipv6: false\n',
      '  timeout: {tcp: 1m}\n',
      '  update: {deadline: 9s}\n',
    ])
      expect(digest(more)).toBe(digest(''))
    for (const more of ['  drain: 1m\n', '  mem_limit: 64m\n', '  labels: {a: b}\n'])
      expect(digest(more)).not.toBe(digest(''))
  })

  it("has a digest that must not change under anybody's feet", () => {
    expect(ingressOf(treeOf(deployment(PLAIN))).ledgerDigest.slice(0, 16)).toMatchInlineSnapshot(`"98aedaaa20a2dfa9"`)
  })

  it('takes variables; a value of the host stays a symbol in its digest', () => {
    const files = deployment(`version: "3.2"
variables: {drain: 20s}
host_variables: {MIRROR: docker.io, LIMIT: 64m, CHECK: "1936"}
ingress:
  image: \${MIRROR}/haproxy:\${version}
  generation: 1
  drain: \${drain}
  mem_limit: \${LIMIT}
  check_port: \${CHECK}
`)
    const examples = treeOf(files)
    const host = treeOf(
      files,
      new Map([
        ['MIRROR', 'here:5000'],
        ['LIMIT', '1g'],
        ['CHECK', '99'],
      ]),
    )
    expect(ingressOf(host).spec).toMatchObject({ image: 'here:5000/haproxy:3.2', mem_limit: 1024 ** 3 })
    expect(ingressOf(host).spec.stop_grace_period).toBe(20_000)
    expect(host.ingress?.checkPort).toBe(99)
    expect(ingressOf(examples).spec.image).toBe('docker.io/haproxy:3.2')
    expect(ingressOf(host).ledgerDigest).toBe(ingressOf(examples).ledgerDigest)
    const otherVersion = { 'deployment.yaml': files['deployment.yaml'].replace('"3.2"', '"3.3"') }
    expect(ingressOf(treeOf(otherVersion)).ledgerDigest).not.toBe(ingressOf(host).ledgerDigest)
  })

  it('takes no defaults of the root, and stops with it', () => {
    const more = 'defaults: {environment: {A: b}, networks: [default], user: "1", mem_limit: 1g}\nstate: stopped\n'
    const leaf = ingressOf(treeOf(deployment(`${PLAIN}${more}`)))
    expect(leaf.state).toBe('stopped')
    expect(leaf.ledgerDigest).toBe(ingressOf(treeOf(deployment(PLAIN))).ledgerDigest)
  })

  it('is judged by the ledger as any leaf is', () => {
    const first = treeOf(deployment(PLAIN))
    const ledger = extendLedger(EMPTY_LEDGER, [
      { commit: { id: 'a'.repeat(40), subject: 'an ingress' }, claims: leafClaims(first) },
    ])
    const judge = (text: string) => judgeLeaf(ingressOf(treeOf(deployment(text))), ledger, () => false)
    expect(judge(PLAIN)).toBeNull()
    expect(judge(PLAIN.replace('3.2', '3.3'))).toMatchObject({
      file: 'deployment.yaml',
      line: 4,
      leaf: 'ingress',
      remedy: 'write generation: 2',
    })
    expect(judge(PLAIN.replace('3.2', '3.3').replace('generation: 1', 'generation: 2'))).toBeNull()
    expect(judge(PLAIN.replace('generation: 1', 'generation: 1 # abcdef'))?.message).toContain('# abcdef is not')
  })

  it('can be depended on, like a leaf', () => {
    const tree = treeOf({ ...deployment(PLAIN), 'web.yaml': `${WEB}depends_on: [ingress]\n` })
    expect([...(tree.leaves.get('web')?.dependencies.keys() ?? [])]).toEqual(['ingress'])
  })
})

describe('reading again', () => {
  it('gives the very same leaf while deployment.yaml is the same, and its new one when it changes', () => {
    const reader = createReader()
    const files = { ...deployment(PLAIN), 'web.yaml': WEB }
    const first = snapshotOf(files)
    const one = reader.read(first, { host: null }).tree
    const changedLeaf = snapshotOf({ ...files, 'web.yaml': `${WEB}user: "1"\n` }, { base: first })
    const two = reader.read(changedLeaf, { host: null }).tree
    expect(two?.leaves.get('web')).not.toBe(one?.leaves.get('web'))
    expect(two?.leaves.get('ingress')).toBe(one?.leaves.get('ingress'))
    expect(two?.ingress).toEqual(one?.ingress)

    const changed = PLAIN.replace('3.2', '3.3').replace('generation: 1', 'generation: 2\n  check_port: 77')
    const third = snapshotOf({ ...files, ...deployment(changed) }, { base: changedLeaf })
    const three = reader.read(third, { host: null }).tree
    expect(three?.leaves.get('ingress')).toMatchObject({ generation: 2, spec: { image: 'haproxy:3.3' } })
    expect(three?.ingress?.checkPort).toBe(77)

    const four = reader.read(snapshotOf({ ...files, ...deployment('') }, { base: third }), { host: null }).tree
    expect([...(four?.leaves.keys() ?? [])]).toEqual(['web'])
    expect([four?.ingress, four?.volumes.size]).toEqual([null, 0])
  })

  it('is the same as reading anew, also where a leaf mounts deployment.yaml', () => {
    const files = { 'web.yaml': `${WEB}files: {/d.yaml: ./deployment.yaml}\n` }
    const reader = createReader()
    const first = snapshotOf({ ...deployment(PLAIN), ...files })
    reader.read(first, { host: null })
    const next = snapshotOf({ ...deployment(PLAIN.replace('3.2', '3.3')), ...files }, { base: first })
    expect(reader.read(next, { host: null })).toEqual(createReader().read(next, { host: null }))
  })
})

const ingress = (text: string) => deployment(`ingress: {image: haproxy, generation: 1, ${text}}\n`)

describe('a mistake in it', () => {
  it.each<[Files, RegExp]>([
    [deployment('ingress:\n'), /^deployment.yaml:2 ingress: expected a mapping, found .*\| write .*haproxy/],
    [deployment('ingress: haproxy:3.2\n'), /^deployment.yaml:2 ingress: expected a mapping, found text/],
    [deployment('ingress: {image: haproxy}\n'), /ingress.generation: .*missing.*generation: 1/],
    [deployment('ingress: {generation: 1}\n'), /ingress.image: .*missing.*\| write/],
    [deployment('ingress: {image: haproxy, generation: "1"}\n'), /ingress.generation: expected a whole number from 1/],
    [ingress('checkport: 1'), /ingress: unknown key checkport \| write check_port/],
    [ingress('timeouts: {}'), /ingress: unknown key timeouts \| write timeout/],
    [ingress('ports: [80]'), /ingress: the key ports does not belong here \| write ports in the leaves/],
    [ingress('command: x'), /the key command does not belong here \| leave it out: graft sets it/],
    [ingress('stop_grace_period: 3s'), /stop_grace_period does not belong here \| write drain/],
    [ingress('check_port: 0'), /ingress.check_port: expected a whole number from 1 to 65535/],
    [ingress('ipv6: maybe'), /ingress.ipv6: expected true or false/],
    [ingress('drain: 10'), /ingress.drain: the duration 10 has no unit \| write 10s/],
    [ingress('mem_limit: lots'), /ingress.mem_limit: expected a size in bytes/],
    [ingress('timeout: {tpc: 1s}'), /ingress.timeout: unknown key tpc \| write tcp/],
    [ingress('timeout: {tcp: 0}'), /ingress.timeout.tcp: the duration 0 is too short|found the number 0/],
    [ingress('update: {order: stop-first}'), /ingress.update: the key order .*takes over the open ports/],
    [ingress('update: {drain: 1s}'), /ingress.update: the key drain .*beside update/],
    [ingress('labels: {dev.graft.x: y}'), /graft's own/],
    [ingress('environment: {A: "${NO}"}'), /nobody sets the variable NO/],
    [
      deployment(`${PLAIN}volumes: {ingress-sockets: {}}\n`),
      /^deployment.yaml:5 the volume ingress-sockets is the ingress's own \| give yours another name/,
    ],
    [
      deployment(`${PLAIN}volumes: {mine: {external: true, name: shop_ingress-sockets}}\n`),
      /^deployment.yaml:5 volumes ingress-sockets and mine are both named shop_ingress-sockets/,
    ],
    [
      deployment('volumes: {ingress-sockets: {}}\n'),
      /^deployment.yaml:\d the volume ingress-sockets is the ingress's own/,
    ],
    [
      deployment('volumes: {mine: {name: shop_ingress-sockets}}\n'),
      /^deployment.yaml:\d the volume shop_ingress-sockets is the ingress's own/,
    ],
    [
      { ...deployment(PLAIN), 'web.yaml': `${WEB}volumes: ["ingress-sockets:/x"]\n` },
      /^web.yaml:3 the volume ingress-sockets is the ingress's own \| declare and mount another/,
    ],
    [
      { ...deployment(PLAIN), 'db/set.yaml': '', 'db/ingress.yaml': WEB },
      /^db\/ingress.yaml:null ingress is the name of the deployment's ingress \(deployment.yaml:\d\) \| give this leaf/,
    ],
    [
      { ...deployment(PLAIN), 'aa/set.yaml': '', 'aa/ingress.yaml': WEB },
      /^aa\/ingress.yaml:null ingress is the name of the deployment's ingress/,
    ],
    [
      { ...deployment(PLAIN), 'ingress/set.yaml': '', 'ingress/web.yaml': WEB },
      /^ingress\/set.yaml:null a leaf and a set .* both named ingress.* \| rename the folder$/,
    ],
    [
      { ...deployment(''), 'db/set.yaml': 'ingress: {}\n' },
      /^db\/set.yaml:1 .*ingress.*\| write it in deployment.yaml/,
    ],
    [
      { ...deployment(PLAIN), 'web.yaml': `${WEB}ports: ["1936:80"]\n` },
      /^web.yaml:3 port 1936\/tcp of the host is taken by ingress too \(deployment.yaml:\d\)/,
    ],
  ])('%j', (files, words) => {
    const told = toldOf(files)
    expect(
      told.some((one) => words.test(one)),
      told.join('\n'),
    ).toBe(true)
  })

  it('is told once', () => {
    expect(toldOf(ingress('drain: 10'))).toHaveLength(1)
    expect(toldOf({ ...deployment(PLAIN), 'web.yaml': `${WEB}ports: ["127.0.0.1:1936:80"]\n` })).toEqual([])
  })
})

describe('two leaves with one port of the ingress', () => {
  const told = (one: string, other: string): string[] =>
    toldOf({
      ...deployment(PLAIN),
      'aa.yaml': `${WEB}ports: [${one}]\n`,
      'bb.yaml': `${WEB}ports: [${other}]\n`,
    })

  it.each([
    ['"80:80"', '"80:8080"'],
    ['"80:80"', '"127.0.0.1:80:80"'],
    ['"10.0.0.1:80:80"', '"10.0.0.1:80:81"'],
    ['"0.0.0.0:80:80"', '"10.0.0.1:80:81"'],
    ['"80:80"', '{target: 80, published: 80, mode: host}'],
  ])('clash: %s and %s', (one, other) => {
    expect(told(one, other)).toEqual([
      'aa.yaml:3 port 80/tcp of the host is taken by bb too (bb.yaml:3) | give one of them another',
      'bb.yaml:3 port 80/tcp of the host is taken by aa too (aa.yaml:3) | give one of them another',
    ])
  })

  it.each([
    ['"80:80"', '"81:80"'],
    ['"10.0.0.2:80:80"', '"10.0.0.1:80:80"'],
    ['"80:80"', '"80:80/udp"'],
  ])('do not: %s and %s', (one, other) => {
    expect(told(one, other)).toEqual([])
  })
})

describe('ports', () => {
  const specOf = (ports: string) =>
    treeOf({ ...deployment(PLAIN), 'web.yaml': `${WEB}ports: ${ports}\n` }).leaves.get('web')

  it('go through it where they can', () => {
    const spec = specOf('["80:8080", "53:53/udp", "8080", {target: 1, published: 2, mode: host}]')?.spec
    expect(spec?.ports).toHaveLength(4)
    expect(ingressPortsOf(spec ?? { ports: [] })).toEqual([
      { target: 8080, published: 80, protocol: 'tcp', mode: 'ingress' },
    ])
  })

  it('may ask for HTTP and for the PROXY protocol, which counts into the digest; false is as if it were not there', () => {
    const plain = specOf('[{target: 80, published: 80}]')
    const http = specOf('[{target: 80, published: 80, http: true, proxy_protocol: "true"}]')
    expect(http?.spec.ports).toEqual([
      { target: 80, published: 80, protocol: 'tcp', mode: 'ingress', http: true, proxy_protocol: true },
    ])
    expect(http?.ledgerDigest).not.toBe(plain?.ledgerDigest)
    expect(specOf('[{target: 80, published: 80, http: false, proxy_protocol: false}]')?.ledgerDigest).toBe(
      plain?.ledgerDigest,
    )
    expect(specOf('[{target: 80, published: 80, app_protocol: http}]')?.ledgerDigest).toBe(plain?.ledgerDigest)
    expect(specOf('["80:80"]')?.ledgerDigest).toBe(plain?.ledgerDigest)
  })

  it('may be said by a value of the host', () => {
    const files = (web: string): Files => ({
      ...deployment(`${PLAIN}host_variables: {WEB: "true", PROTOCOL: tcp, MODE: ingress}\n`),
      'web.yaml': `${WEB}ports: [{target: 80, published: 80, http: ${web}, protocol: "\${PROTOCOL}", mode: "\${MODE}"}]\n`,
    })
    const leaf = treeOf(files('"${WEB}"')).leaves.get('web')
    expect(leaf?.spec.ports).toMatchObject([{ http: true, mode: 'ingress', protocol: 'tcp' }])
    expect(leaf?.ledgerDigest).not.toBe(treeOf(files('true')).leaves.get('web')?.ledgerDigest)
  })

  it.each([
    ['', 'http: true', 'http: true is for ports of the ingress, and the deployment has no ingress', 'leave http out'],
    ['', 'proxy_protocol: true', 'proxy_protocol: true is for .* the deployment has no ingress', 'give the deployment'],
    [PLAIN, 'mode: host, http: true', 'this one is published by the engine', 'mode: ingress, or leave http out'],
    [PLAIN, 'proxy_protocol: true, mode: host', 'published by the engine', 'leave proxy_protocol out'],
    [PLAIN, 'protocol: udp, http: true', 'the ingress does not carry udp', 'leave http out'],
    [PLAIN, 'protocol: udp, mode: ingress', 'the ingress does not carry udp', 'mode: host'],
    [PLAIN, 'protocol: sctp, mode: ingress', 'the ingress does not carry sctp', 'mode: host'],
    [PLAIN, 'http: perhaps', 'http: expected true or false', 'true'],
    [PLAIN, 'htttp: true', 'unknown key htttp', 'write http'],
  ])('%j {%s}: %s', (asked, keys, message, remedy) => {
    const told = toldOf({
      ...deployment(asked),
      'web.yaml': `${WEB}ports: [{target: 80, published: 80, ${keys}}]\n`,
    })
    expect(told).toHaveLength(1)
    expect(told[0]).toMatch(new RegExp(`^web.yaml:3 .*${message}.* \\| .*${remedy}`))
  })

  it('without a number of their own cannot ask for it', () => {
    const files = { ...deployment(PLAIN), 'web.yaml': `${WEB}ports: [{target: 80, http: true}]\n` }
    expect(toldOf(files)[0]).toContain('a port of the ingress needs a number of its own | write published: PORT')
  })

  it.each([
    ['host', 'a host-network container publishes nothing'],
    ['none', 'a container without a network publishes nothing'],
    ['service:other', 'the network is that of other'],
  ])('of the ingress beside network_mode: %s are a problem', (mode, words) => {
    const web = `${WEB}network_mode: ${mode}\nports: [{target: 80, published: 80, mode: ingress}]\n`
    const told = toldOf({ ...deployment(PLAIN), 'other.yaml': WEB, 'web.yaml': web })
    expect(told).toEqual([expect.stringContaining(words)])
  })
})

describe('update.measure', () => {
  const leaf = (update: string) =>
    treeOf({ ...deployment(''), 'web.yaml': `${WEB}update: ${update}\n` }).leaves.get('web')

  it('is off where it is left out, and no part of the spec', () => {
    expect(leaf('{drain: 1s}')?.update.measure).toBe(false)
    expect(leaf('{measure: true}')?.update.measure).toBe(true)
    expect(leaf('{measure: true}')?.ledgerDigest).toBe(leaf('{}')?.ledgerDigest)
  })

  it('may come from the defaults of a set', () => {
    const files = {
      'db/set.yaml': 'defaults: {update: {measure: true}}\n',
      'db/web.yaml': `${WEB}update: {drain: 1s}\n`,
    }
    expect(treeOf({ ...deployment(''), ...files }).leaves.get('web')?.update).toMatchObject({
      measure: true,
      drain: 1000,
    })
  })
})

it('a set that switches together is read without a word', () => {
  const tree = treeOf({ ...deployment(''), 'db/set.yaml': 'update: {together: true}\n', 'db/web.yaml': WEB })
  expect(tree.root.sets[0]?.together).toBe(true)
})

describe("the host's policy", () => {
  const policyOf = (grants: string): Policy => {
    const { policy, problems } = parsePolicy(`format: 1\ngrants: ${grants}\n`, 'policy.yaml')
    expect(problems).toEqual([])
    return policy ?? NO_POLICY
  }
  const tree = treeOf({ ...deployment(PLAIN), 'web.yaml': `${WEB}network_mode: host\n` })
  const judge = (name: string, policy: Policy, allow = false) => {
    const leaf = tree.leaves.get(name)
    if (leaf === undefined) throw new Error(name)
    return judgePolicy(leaf, tree, policy, allow)
  }

  it('holds an ingress that is not granted, names what it asks for, and says what to add', () => {
    const problem = judge('ingress', NO_POLICY)
    expect(problem).toMatchObject({ severity: 'held', leaf: 'ingress', file: 'deployment.yaml' })
    expect(problem?.message).toContain('asks for network: host, and')
    expect(problem?.remedy).toMatch(/: - \{paths: \[ingress\], ingress: true\}$/)
  })

  it.each([
    '[{paths: [ingress], ingress: true}]',
    '[{paths: ["*"], ingress: true}]',
    '[{paths: [ingress], host_namespaces: [network]}]',
  ])('grants it by %s', (grants) => {
    expect(judge('ingress', policyOf(grants))).toBeNull()
  })

  it('is not granted by less, and --allow-privileged grants it', () => {
    expect(judge('ingress', policyOf('[{paths: [ingress], ingress: false}]'))).not.toBeNull()
    expect(judge('ingress', policyOf('[{paths: [edge/ingress], ingress: true}]'))).not.toBeNull()
    const less = judge('ingress', policyOf('[{paths: [ingress], host_namespaces: [pid], cap_add: [ALL]}]'))
    expect(less?.message).toContain('network: host')
    expect(less?.remedy).toContain('ingress: true')
    expect(judge('ingress', NO_POLICY, true)).toBeNull()
  })

  it('gives nothing of it to other leaves', () => {
    expect(judge('web', policyOf('[{paths: ["**"], ingress: true}]'))?.message).toContain('web asks for network: host')
    const alone = treeOf({ ...deployment(''), 'ingress.yaml': `${WEB}network_mode: host\n` })
    expect(judgePolicy(ingressOf(alone), alone, policyOf('[{paths: [ingress], ingress: true}]'), false)).not.toBeNull()
  })

  it('does not give by it what only some ingresses ask for', () => {
    const logging = treeOf(ingress('logging: {driver: syslog}'))
    const problem = judgePolicy(ingressOf(logging), logging, policyOf('[{paths: [ingress], ingress: true}]'), false)
    expect(problem?.remedy).toContain('{paths: [ingress], logging_drivers: [syslog]}')
    expect(judgePolicy(ingressOf(logging), logging, NO_POLICY, false)?.remedy).toContain(
      '{paths: [ingress], ingress: true, logging_drivers: [syslog]}',
    )
  })

  it('says where ingress stands for something else', () => {
    const { problems } = parsePolicy('format: 1\ngrants: [{paths: [ingress], ingress: yes please}]\n', 'p.yaml')
    expect(problems[0]?.remedy).toContain('true or false')
  })
})
