// Bad input: each mistake gives its problem with file, line and column, what is wrong and what would be right.

import { describe, expect, it } from 'vitest'

import { createReader } from '../../../src/desired/read.ts'
import type { Problem } from '../../../src/desired/problem.ts'
import { snapshotOf } from './snapshot-of.ts'
import type { FileContent, SnapshotOptions } from './snapshot-of.ts'

const DEPLOYMENT = 'name: shop\nformat: 1\n'
const LEAF = 'generation: 1\nimage: busybox\n'

function problemsOf(
  files: Record<string, FileContent>,
  host: ReadonlyMap<string, string> | null = null,
  options: SnapshotOptions = {},
): readonly Problem[] {
  const { tree, problems } = createReader().read(snapshotOf({ 'deployment.yaml': DEPLOYMENT, ...files }, options), {
    host,
  })
  expect(tree === null).toBe(problems.some((problem) => problem.severity === 'unreadable'))
  for (const problem of problems) {
    expect(problem.message).not.toMatch(/\.$|undefined|\[object/)
    expect(problem.remedy).not.toMatch(/undefined|\[object/)
    expect(problem.remedy.length).toBeGreaterThan(3)
  }
  return problems
}

/** `file:line:column message | remedy` of each. */
function toldOf(...args: Parameters<typeof problemsOf>): string[] {
  return problemsOf(...args).map(
    ({ file, line, column, message, remedy }) => `${file}:${line}:${column} ${message} | ${remedy}`,
  )
}

type Case = [name: string, files: Record<string, FileContent>, place: string, words: RegExp]

const cases: Case[] = [
  [
    'broken YAML',
    { 'ab.yaml': 'generation: 1\nimage: [a\n' },
    'ab.yaml:3:1',
    /a \[ above is not closed.*\| write the \]/,
  ],
  ['a tab', { 'ab.yaml': 'generation: 1\nupdate:\n\torder: x\n' }, 'ab.yaml:3:1', /tab/],
  ['an open quote', { 'ab.yaml': 'generation: 1\nimage: "x\n' }, 'ab.yaml:', /missing|quote/],
  ['two documents', { 'ab.yaml': `${LEAF}---\n${LEAF}` }, 'ab.yaml:3:1', /more than one YAML document/],
  ['a key twice', { 'ab.yaml': `${LEAF}image: y\n` }, 'ab.yaml:3:1', /image is here twice/],
  ['a tag', { 'ab.yaml': `${LEAF}user: !secret x\n` }, 'ab.yaml:3:', /tag !secret/],
  ['an empty file', { 'ab.yaml': '# nothing\n' }, 'ab.yaml:null:null', /empty \| write generation/],
  ['a list', { 'ab.yaml': '- a\n' }, 'ab.yaml:null:null', /mapping/],
  ['a wrong type', { 'ab.yaml': `${LEAF}privileged: perhaps\n` }, 'ab.yaml:3:13', /privileged|true/],
  ['an unknown key', { 'ab.yaml': `${LEAF}enviroment: {}\n` }, 'ab.yaml:3:1', /enviroment.*environment/],
  ['an unknown key of a set', { 'db/set.yaml': 'depends-on: []\n' }, 'db/set.yaml:1:1', /depends-on.*depends_on/],
  [
    'an unknown key of the deployment',
    { 'deployment.yaml': `${DEPLOYMENT}network: {}\n` },
    'deployment.yaml:3:1',
    /network.*networks/,
  ],
  [
    'a wrong default',
    { 'db/set.yaml': 'defaults:\n  init: perhaps\n', 'db/ab.yaml': LEAF },
    'db/set.yaml:2:9',
    /init|true/,
  ],
  [
    'an unset variable',
    { 'deployment.yaml': `${DEPLOYMENT}variables: {region: x}\n`, 'ab.yaml': `${LEAF}user: a\${regoin}\n` },
    'ab.yaml:3:7',
    /regoin.*did you mean region/,
  ],
  ['a required variable', { 'ab.yaml': `${LEAF}user: \${U:?who runs it}\n` }, 'ab.yaml:3:7', /who runs it/],
  ['a lone dollar', { 'ab.yaml': `${LEAF}command: [sh, -c, "echo $(date)"]\n` }, 'ab.yaml:3:19', /\$\(date\).*\$\$/],
  [
    'an unset variable in a default',
    { 'db/set.yaml': 'defaults:\n  labels:\n    - a=${NO}\n', 'db/ab.yaml': `${LEAF}labels: {b: c}\n` },
    'db/set.yaml:3:7',
    /NO/,
  ],
  [
    'an unset variable in a variable',
    { 'db/set.yaml': 'variables:\n  a: ${b}\n' },
    'db/set.yaml:2:6',
    /nobody sets the variable b/,
  ],
  ['variables in a circle', { 'db/set.yaml': 'variables:\n  a: ${b}\n  b: ${a}\n' }, 'db/set.yaml:2:6', /a → b → a/],
  ['version as a variable', { 'db/set.yaml': 'variables:\n  version: x\n' }, 'db/set.yaml:2:3', /graft's own/],
  [
    'an unset variable in a file',
    { 'ab.yaml': `${LEAF}files: {/x: {source: x.txt, interpolate: true}}\n`, 'x.txt': 'one\n  a ${NO} b\n' },
    'x.txt:2:5',
    /NO/,
  ],
  [
    'a bad environment file',
    { 'ab.yaml': `${LEAF}env_file: x.env\n`, 'x.env': 'A=1\n\nwhat is this\n' },
    'x.env:3:1',
    /KEY=value/,
  ],
  [
    'a file that is not there',
    { 'ab.yaml': `${LEAF}files:\n  /etc/nova.conf: ./conf/nova.cnf\n`, 'conf/nova.conf': '' },
    'ab.yaml:4:19',
    /no file conf\/nova.cnf.*did you mean \.\/conf\/nova\.conf/,
  ],
  [
    'an environment file that is not there',
    { 'ab.yaml': `${LEAF}env_file:\n  - a.env\n` },
    'ab.yaml:4:5',
    /no file a.env/,
  ],
  ['a folder as a file', { 'ab.yaml': `${LEAF}files: {/x: ./conf}\n`, 'conf/a': '' }, 'ab.yaml:3:13', /folder/],
  [
    'a file out of the tree',
    { 'db/set.yaml': '{}', 'db/ab.yaml': `${LEAF}files: {/x: ../../etc/passwd}\n` },
    'db/ab.yaml:3:13',
    /outside/,
  ],
  ['a link', { 'ab.yaml': `${LEAF}files: {/x: l.txt}\n`, 'l.txt': { kind: 'link' } }, 'ab.yaml:3:13', /symbolic link/],
  [
    'a path through a link',
    { 'ab.yaml': `${LEAF}files: {/x: l/t.txt}\n`, l: { kind: 'link' } },
    'ab.yaml:3:13',
    /leads through l, a symbolic link/,
  ],
  [
    'a submodule',
    { 'ab.yaml': `${LEAF}files: {/x: m/t.txt}\n`, m: { kind: 'submodule' } },
    'ab.yaml:3:13',
    /submodule/,
  ],
  [
    'an LFS pointer',
    {
      'ab.yaml': `${LEAF}files: {/x: big.bin}\n`,
      'big.bin': 'version https://git-lfs.github.com/spec/v1\noid sha256:1\n',
    },
    'ab.yaml:3:13',
    /LFS/,
  ],
  [
    'a large file',
    { 'ab.yaml': `${LEAF}files: {/x: big.bin}\n`, 'big.bin': { size: 100e6 } },
    'ab.yaml:3:13',
    /100000000 bytes/,
  ],
  ['a large leaf', { 'ab.yaml': { size: 100e6 } }, 'ab.yaml:null:null', /100000000 bytes/],
  ['a leaf that is a link', { 'ab.yaml': { kind: 'link' } }, 'ab.yaml:null:null', /symbolic link/],
  ['a leaf that is no text', { 'ab.yaml': Uint8Array.from([0xff, 0xfe, 0, 1]) }, 'ab.yaml:null:null', /UTF-8/],
  [
    'a file into a volume',
    {
      'deployment.yaml': `${DEPLOYMENT}volumes: {data: {}}\n`,
      'ab.yaml': `${LEAF}volumes: ["data:/var/lib"]\nfiles:\n  /var/lib/x: x.txt\n`,
      'x.txt': '',
    },
    'ab.yaml:5:3',
    /inside the volume mounted at \/var\/lib/,
  ],
  [
    'a file into a tmpfs',
    { 'ab.yaml': `${LEAF}tmpfs: /run\nfiles:\n  /run/x: x.txt\n`, 'x.txt': '' },
    'ab.yaml:5:3',
    /tmpfs/,
  ],
  [
    'ports on the host’s network',
    { 'ab.yaml': `${LEAF}network_mode: host\nports: ["80:80"]\n` },
    'ab.yaml:4:1',
    /ports/,
  ],
  [
    'an undeclared network',
    { 'deployment.yaml': `${DEPLOYMENT}networks: {front: {}}\n`, 'ab.yaml': `${LEAF}networks: [default, frnt]\n` },
    'ab.yaml:3:21',
    /frnt.*did you mean front/,
  ],
  [
    'an undeclared volume',
    { 'deployment.yaml': `${DEPLOYMENT}volumes: {data: {}}\n`, 'ab.yaml': `${LEAF}volumes:\n  - dta:/x\n` },
    'ab.yaml:4:5',
    /dta.*did you mean data/,
  ],
  [
    'one engine name twice',
    { 'deployment.yaml': `${DEPLOYMENT}networks:\n  one: {name: x}\n  two: {name: x}\n` },
    'deployment.yaml:5:3',
    /one and two are both named x/,
  ],
  [
    'an unknown dependency',
    { 'ab.yaml': `${LEAF}depends_on: [mariadb]\n`, 'maria-db.yaml': LEAF },
    'ab.yaml:3:14',
    /mariadb.*did you mean maria-db/,
  ],
  [
    'an unknown dependency, long form',
    { 'ab.yaml': `${LEAF}depends_on:\n  xx: {condition: service_started}\n` },
    'ab.yaml:4:3',
    /named xx/,
  ],
  [
    'an unknown sibling',
    { 'db/set.yaml': '{}', 'api/set.yaml': 'depends_on: [bd]\n' },
    'api/set.yaml:1:14',
    /bd.*did you mean db/,
  ],
  ['a dependency on itself', { 'ab.yaml': `${LEAF}depends_on: [ab]\n` }, 'ab.yaml:3:1', /itself|depend/],
  [
    'a container that shall complete',
    { 'cd.yaml': LEAF, 'ab.yaml': `${LEAF}depends_on: {cd: {condition: service_completed_successfully}}\n` },
    'ab.yaml:3:14',
    /never completes/,
  ],
  [
    'an unknown namespace',
    { 'ab.yaml': `${LEAF}pid: service:cc\n`, 'cd.yaml': LEAF },
    'ab.yaml:3:6',
    /cc.*did you mean cd/,
  ],
  ['its own namespace', { 'ab.yaml': `${LEAF}ipc: service:ab\n` }, 'ab.yaml:3:6', /itself/],
  [
    'start-first with a host port',
    { 'ab.yaml': `${LEAF}ports: ["80:80"]\nupdate: {order: start-first}\n` },
    'ab.yaml:4:17',
    /side by side: port 80\/tcp/,
  ],
  [
    'start-first on the host’s network',
    { 'ab.yaml': `${LEAF}network_mode: host\nupdate: {order: start-first}\n` },
    'ab.yaml:4:17',
    /host’s network/,
  ],
  ['a bad name', { 'My_Leaf.yaml': LEAF }, 'My_Leaf.yaml:null:null', /rename it to my-leaf/],
  ['a name of one letter', { 'x.yaml': LEAF }, 'x.yaml:null:null', /2 to 63/],
  [
    'a name that is too long with its prefix',
    { 'deployment.yaml': `${DEPLOYMENT}prefix: openstack-\n`, [`${'a'.repeat(60)}.yaml`]: LEAF },
    `${'a'.repeat(60)}.yaml:null:null`,
    /70 characters/,
  ],
  ['a bad folder name', { 'DB/set.yaml': '{}' }, 'DB/set.yaml:null:null', /rename the folder to db/],
  ['.yml', { 'ab.yml': LEAF }, 'ab.yml:null:null', /rename it to ab.yaml/],
  ['set.yml', { 'db/set.yml': '{}' }, 'db/set.yml:null:null', /rename it to set.yaml/],
  [
    'a former name that still exists',
    { 'ab.yaml': `${LEAF}renamed_from: cd\n`, 'cd.yaml': LEAF },
    'ab.yaml:3:15',
    /cd still exists/,
  ],
  ['a set and a leaf of one name', { 'db/set.yaml': '{}', 'db.yaml': LEAF }, 'db/set.yaml:null:null', /both named db/],
  ['a second deployment', { 'db/deployment.yaml': DEPLOYMENT }, 'db/deployment.yaml:null:null', /second deployment/],
]

describe('each mistake', () => {
  it.each(cases)('%s', (_, files, place, words) => {
    const told = toldOf(files)
    expect(told).toHaveLength(1)
    expect(told[0]).toContain(place)
    expect(told[0]).toMatch(words)
  })

  it('in several files is told at once, in the order of the files', () => {
    const files = { 'ab.yaml': `${LEAF}usr: x\nuser: \${NO}\n`, 'cd.yaml': 'a: [\n', 'db/set.yaml': 'x: 1\n' }
    expect(toldOf(files).map((line) => line.split(' ')[0])).toEqual([
      'ab.yaml:3:1',
      'ab.yaml:4:7',
      'cd.yaml:2:1',
      'db/set.yaml:1:1',
    ])
  })
})

describe('mistakes between files', () => {
  it('two leaves of one name', () => {
    const told = toldOf({ 'db/set.yaml': '{}', 'db/ab.yaml': LEAF, 'xx/set.yaml': '{}', 'xx/ab.yaml': LEAF })
    expect(told).toEqual([expect.stringMatching(/^xx\/ab\.yaml.*db\/ab\.yaml/)])
  })

  it('one port of the host, told at both', () => {
    const told = toldOf({
      'ab.yaml': `${LEAF}ports: ["8080:80"]\n`,
      'cd.yaml': `${LEAF}ports:\n  - {target: 1, published: 8080, host_ip: 127.0.0.1}\n`,
    })
    expect(told).toEqual([
      expect.stringMatching(/^ab\.yaml:3:9 port 8080\/tcp of the host is taken by cd too \(cd\.yaml:4\)/),
      expect.stringMatching(/^cd\.yaml:4:5 port 8080\/tcp of the host is taken by ab too \(ab\.yaml:3\)/),
    ])
  })

  it('is none between different addresses, protocols, or with a stopped set', () => {
    const published = (port: string): string => `${LEAF}ports: ["${port}"]\n`
    expect(
      toldOf({
        'ab.yaml': published('10.0.0.1:80:80'),
        'cd.yaml': published('10.0.0.2:80:80'),
        'ef.yaml': published('80:80/udp'),
        'off/set.yaml': 'state: stopped\n',
        'off/gh.yaml': published('80:80'),
        'ij.yaml': published('80'),
        'kl.yaml': published('80'),
      }),
    ).toEqual([])
  })

  it('one fixed address', () => {
    const joined = `${LEAF}networks: {default: {ipv4_address: 10.0.0.9}}\n`
    expect(toldOf({ 'ab.yaml': joined, 'cd.yaml': joined })).toEqual([
      expect.stringMatching(/^ab\.yaml:3:36 .*10\.0\.0\.9 on default.*cd/),
      expect.stringMatching(/^cd\.yaml:3:36/),
    ])
  })

  it('a circle of leaves and sets, named whole', () => {
    const told = toldOf({
      'db/set.yaml': 'depends_on: [api]\n',
      'db/mariadb.yaml': LEAF,
      'api/set.yaml': '{}',
      'api/nova.yaml': `${LEAF}depends_on:\n  - keystone\n`,
      'api/keystone.yaml': `${LEAF}depends_on: [mariadb]\n`,
    })
    expect(told).toHaveLength(1)
    expect(told[0]).toMatch(
      /^api\/keystone\.yaml:3:14 .*circle: keystone needs mariadb \(api\/keystone\.yaml:3\), db needs api \(db\/set\.yaml:1\)/,
    )
  })

  it('a set that a leaf inside it needs', () => {
    expect(
      toldOf({
        'db/set.yaml': '{}',
        'db/in/set.yaml': 'depends_on: [ab]\n',
        'db/ab.yaml': `${LEAF}depends_on: [in]\n`,
        'db/in/cd.yaml': LEAF,
      }),
    ).toHaveLength(1)
  })

  it('a long chain is none', () => {
    const files: Record<string, FileContent> = {}
    for (let index = 0; index < 3000; index++)
      files[`l${index}x.yaml`] = index === 0 ? LEAF : `${LEAF}depends_on: [l${index - 1}x]\n`
    expect(toldOf(files)).toEqual([])
  })

  it('a host that lacks a value', () => {
    const files = {
      'deployment.yaml': `${DEPLOYMENT}host_variables:\n  ADDR: {example: 1.1.1.1}\n`,
      'ab.yaml': `${LEAF}user: \${ADDR}\n`,
    }
    expect(toldOf(files, new Map())).toEqual([
      expect.stringMatching(/^deployment\.yaml:4:3 this host has no value for ADDR/),
    ])
    expect(toldOf(files, null)).toEqual([])
  })

  it('a leaf whose folder is no set is a warning', () => {
    const problems = problemsOf({ 'ab.yaml': LEAF, 'db/mariadb.yaml': LEAF, 'db/other.yaml': 'x: 1\n' })
    expect(problems).toMatchObject([
      { file: 'db/mariadb.yaml', severity: 'warning', remedy: expect.stringContaining('db/set.yaml') },
    ])
  })

  it('a name that the repository refused', () => {
    const told = toldOf({}, null, { refused: [{ path: '../evil.yaml', why: 'a name may not be two dots' }] })
    expect(told).toEqual([expect.stringContaining('two dots')])
  })
})

describe('no deployment', () => {
  const read = (files: Record<string, FileContent>) => createReader().read(snapshotOf(files), { host: null })

  it('an empty tree', () => {
    expect(read({})).toMatchObject({
      tree: null,
      problems: [{ file: null, message: expect.stringContaining('empty') }],
    })
  })

  it.each([
    [{ 'deployment.yml': DEPLOYMENT }, /rename deployment.yml/],
    [{ 'infra/deployment.yaml': DEPLOYMENT }, /--path infra/],
    [{ 'große site/deployment.yaml': DEPLOYMENT }, /--path 'große site'/],
    [{ 'README.md': '' }, /add deployment.yaml/],
  ])('%j', (files, remedy) => {
    const { tree, problems } = read(files)
    expect(tree).toBeNull()
    expect(problems[0]?.remedy).toMatch(remedy)
  })

  it('a deployment that does not read still lets the other files tell theirs', () => {
    const { problems } = read({ 'deployment.yaml': 'a: [\n', 'ab.yaml': 'b: {\n', 'cd.yaml': LEAF })
    expect(problems.map(({ file }) => file)).toEqual(['ab.yaml', 'deployment.yaml'])
  })
})

describe('a default that is overridden', () => {
  it('hurts nobody, whatever is wrong with its variable', () => {
    const set = 'defaults: {user: "${NO}", labels: {a: "${NO}"}}\n'
    expect(toldOf({ 'db/set.yaml': set, 'db/ab.yaml': `${LEAF}user: "1"\nlabels: {a: b}\n` })).toEqual([])
  })
})
