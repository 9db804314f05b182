// From files to a tree: what lies where, what inherits what, what stays the same object.

import { describe, expect, it } from 'vitest'

import { createReader } from '../../../src/desired/read.ts'
import type { Leaf, Tree } from '../../../src/desired/tree.ts'
import { snapshotOf } from './snapshot-of.ts'
import type { FileContent } from './snapshot-of.ts'

const DEPLOYMENT = 'name: shop\nformat: 1\n'
const LEAF = 'generation: 1\nimage: busybox\n'

function treeOf(files: Record<string, FileContent>, host: ReadonlyMap<string, string> | null = null): Tree {
  const { tree, problems } = createReader().read(snapshotOf({ 'deployment.yaml': DEPLOYMENT, ...files }), { host })
  expect(problems).toEqual([])
  if (tree === null) throw new Error('no tree')
  return tree
}

function leafOf(
  files: Record<string, FileContent>,
  name: string,
  host: ReadonlyMap<string, string> | null = null,
): Leaf {
  const leaf = treeOf(files, host).leaves.get(name)
  if (leaf === undefined) throw new Error(`no leaf ${name}`)
  return leaf
}

describe('layout', () => {
  it('finds sets, leaves and content', () => {
    const tree = treeOf({
      'web.yaml': LEAF,
      'db/set.yaml': 'description: the database\n',
      'db/mariadb.yaml': `${LEAF}files: {/etc/my.cnf: ./conf/my.cnf, /etc/extra.yaml: extra.yaml}\n`,
      'db/conf/my.cnf': '[mysqld]\n',
      'db/conf/other.yaml': 'anything: at all\n',
      'db/extra.yaml': '[content, because a leaf mounts it]\n',
      'db/.hidden.yaml': 'not: read\n',
      '.github/workflows/ci.yaml': 'on: push\n',
      'db/deep/set.yaml': '{}\n',
      'db/deep/cache.yaml': LEAF,
      'README.md': 'text',
    })
    expect([...tree.leaves.keys()]).toEqual(['cache', 'mariadb', 'web'])
    expect(tree.root).toMatchObject({ path: '', name: 'shop', leaves: ['web'] })
    expect(tree.root.sets).toMatchObject([
      { path: 'db', description: 'the database', leaves: ['mariadb'], sets: [{ path: 'db/deep', leaves: ['cache'] }] },
    ])
    expect(tree.leaves.get('cache')).toMatchObject({ file: 'db/deep/cache.yaml', set: 'db/deep', generationLine: 1 })
  })

  it('orders leaves by their paths, whatever the order of the entries', () => {
    const files = { 'b-b.yaml': LEAF, 'a-a.yaml': LEAF, 'aa/set.yaml': '{}', 'aa/zz.yaml': LEAF, 'B/x.conf': '' }
    expect([...treeOf(files).leaves.keys()]).toEqual(['a-a', 'zz', 'b-b'])
  })

  it('takes BOM, CRLF, comments and merge keys as YAML does', () => {
    const text = '\uFEFF# a leaf\r\ngeneration: 7 # 3fa91c\r\nx-none: &e {A: "1"}\r\n'.replace(
      'x-none: &e {A: "1"}\r\n',
      '',
    )
    const leaf = leafOf(
      { 'ab.yaml': `${text}image: busybox\r\nlabels: &l {a: "1", b: "2"}\r\nenvironment: {<<: *l, b: "3"}\r\n` },
      'ab',
    )
    expect(leaf).toMatchObject({ generation: 7, generationLine: 2, digestComment: '3fa91c' })
    expect(leaf.spec.environment).toEqual({ a: '1', b: '3' })
  })
})

describe('variables and defaults', () => {
  it('go down the tree, the nearest set winning', () => {
    const files = {
      'deployment.yaml': `${DEPLOYMENT}prefix: p-\nversion: "1"\nvariables: {r: quay.io, x: "${'${r}'}/outer"}\n`,
      'set-a/set.yaml': 'version: 2025.10\nvariables: {x: inner}\n',
      'set-a/one.yaml': 'generation: 1\nimage: ${r}/${x}:${version}\nhostname: ${prefix}one\n',
      'two.yaml': 'generation: 1\nimage: ${x}:${version}\n',
    }
    const tree = treeOf(files)
    expect(tree.leaves.get('one')?.spec).toMatchObject({ image: 'quay.io/inner:2025.10', hostname: 'p-one' })
    expect(tree.leaves.get('two')?.spec.image).toBe('quay.io/outer:1')
  })

  it('merge mappings by key in either form, replace the rest, and null takes away', () => {
    const leaf = leafOf(
      {
        'deployment.yaml': `${DEPLOYMENT}defaults: {environment: {A: root, B: root}, user: "1", cap_drop: [ALL]}\n`,
        'db/set.yaml': 'defaults: {environment: [B=set, C=set], init: false, update: {drain: 1s}}\n',
        'db/ab.yaml': `${LEAF}environment: {C: leaf, A: null}\nuser: null\ncap_drop: [CHOWN]\nupdate: {settle: 2s}\n`,
      },
      'ab',
    )
    expect(leaf.spec.environment).toEqual({ B: 'set', C: 'leaf' })
    expect(leaf.spec).toMatchObject({ init: false, cap_drop: ['CHOWN'] })
    expect(leaf.spec.user).toBeUndefined()
    expect(leaf.update).toMatchObject({ drain: 1000, settle: 2000 })
  })

  it('let a leaf name another kind of check than its set', () => {
    const leaf = leafOf(
      {
        'db/set.yaml': 'defaults: {healthcheck: {tcp: {port: 1}, interval: 7s}}\n',
        'db/ab.yaml': `${LEAF}healthcheck: {test: [CMD, x]}\n`,
      },
      'ab',
    )
    expect(leaf.probe).toBeNull()
    expect(leaf.spec.healthcheck).toMatchObject({ test: ['CMD', 'x'], interval: 7000 })
  })

  it('fill in defaults with the values of the set the leaf lies in', () => {
    const tree = treeOf({
      'deployment.yaml': `${DEPLOYMENT}defaults: {labels: {site: "${'${site}'}"}}\n`,
      'aa/set.yaml': 'variables: {site: east}\n',
      'aa/l-a.yaml': LEAF,
      'bb/set.yaml': 'variables: {site: west}\n',
      'bb/l-b.yaml': LEAF,
    })
    expect(tree.leaves.get('l-a')?.spec.labels).toEqual({ site: 'east' })
    expect(tree.leaves.get('l-b')?.spec.labels).toEqual({ site: 'west' })
  })

  it('hand state and suspend down', () => {
    const tree = treeOf({
      'aa/set.yaml': 'state: stopped\n',
      'aa/bb/set.yaml': 'state: running\nsuspend: true\n',
      'aa/bb/leaf.yaml': LEAF,
    })
    expect(tree.leaves.get('leaf')).toMatchObject({ state: 'stopped', suspend: true })
  })
})

describe('host variables', () => {
  const files = {
    'deployment.yaml': `${DEPLOYMENT}host_variables: {ADDR: {example: 10.0.0.1}}\n`,
    'ab.yaml': 'generation: 1\nimage: busybox\nenvironment: {LISTEN: "${ADDR}:80"}\n',
    'cd.yaml': LEAF,
    'ef.yaml': `${LEAF}files: {/etc/f: {source: ./f.conf, interpolate: true}}\n`,
    'f.conf': 'listen ${ADDR}; price $$5\n',
  }

  it('are the examples where the host is not known, and the host’s own where it is', () => {
    expect(leafOf(files, 'ab').spec.environment).toEqual({ LISTEN: '10.0.0.1:80' })
    expect(leafOf(files, 'ab', new Map([['ADDR', '1.2.3.4']])).spec.environment).toEqual({ LISTEN: '1.2.3.4:80' })
  })

  it('never reach a ledger digest, in the spec or in a file', () => {
    for (const name of ['ab', 'ef']) {
      const example = leafOf(files, name)
      const own = leafOf(files, name, new Map([['ADDR', '1.2.3.4']]))
      expect(own.spec).not.toEqual(example.spec)
      expect(own.ledgerDigest).toBe(example.ledgerDigest)
    }
    const content = leafOf(files, 'ef', new Map([['ADDR', 'x']])).fileContents.get('/etc/f')
    expect(Buffer.from(content ?? []).toString()).toBe('listen x; price $5\n')
  })

  it('still let the repository’s part of a text count', () => {
    const other = { ...files, 'ab.yaml': files['ab.yaml'].replace(':80', ':81') }
    expect(leafOf(other, 'ab').ledgerDigest).not.toBe(leafOf(files, 'ab').ledgerDigest)
  })
})

describe('contents', () => {
  it('take files with their facts, and environment files under environment', () => {
    const leaf = leafOf(
      {
        'shared/common.env': 'A=1\nexport B="two ${A}" # said\nC=\'$x\'\n\nD=plain # comment\n',
        'db/set.yaml': '{}',
        'db/ab.yaml': `${LEAF}env_file: [../shared/common.env, {path: none.env, required: false}]\nenvironment: {D: own}\nfiles:\n  /etc/x: {source: ../shared/x.bin, mode: "0440", uid: 5}\n`,
        'shared/x.bin': Uint8Array.from([0, 255, 1]),
      },
      'ab',
    )
    expect(leaf.spec.environment).toEqual({ A: '1', B: 'two 1', C: '$x', D: 'own' })
    expect(leaf.spec.files['/etc/x']).toMatchObject({ mode: 0o440, uid: 5, gid: 0 })
    expect(leaf.fileContents.get('/etc/x')).toEqual(Uint8Array.from([0, 255, 1]))
  })

  it('count for the digest', () => {
    const files = (text: string) => ({ 'ab.yaml': `${LEAF}files: {/x: x.txt}\n`, 'x.txt': text })
    expect(leafOf(files('1'), 'ab').ledgerDigest).not.toBe(leafOf(files('2'), 'ab').ledgerDigest)
  })

  it('keep update, prune and depends_on out of the digest', () => {
    const plain = leafOf({ 'ab.yaml': LEAF }, 'ab')
    const other = leafOf(
      { 'ab.yaml': `${LEAF}update: {drain: 1s}\nprune: false\ndepends_on: [cd]\n`, 'cd.yaml': LEAF },
      'ab',
    )
    expect(other.ledgerDigest).toBe(plain.ledgerDigest)
  })
})

describe('dependencies', () => {
  it('resolve sets to leaves and hand a set’s needs down', () => {
    const tree = treeOf({
      'db/set.yaml': '{}',
      'db/mariadb.yaml': `${LEAF}healthcheck: {test: [CMD, x]}\n`,
      'db/sync.yaml': `kind: job\n${LEAF}`,
      'api/set.yaml': 'depends_on: [db]\n',
      'api/nova/set.yaml': '{}',
      'api/nova/nova-api.yaml': `${LEAF}depends_on: [sidecar]\n`,
      'api/nova/sidecar.yaml': LEAF,
    })
    const of = (name: string) =>
      Object.fromEntries(
        [...(tree.leaves.get(name)?.dependencies ?? [])].map(([key, { condition }]) => [key, condition]),
      )
    expect(of('sidecar')).toEqual({ mariadb: 'service_healthy', sync: 'service_completed_successfully' })
    expect(of('nova-api')).toEqual({ ...of('sidecar'), sidecar: 'service_started' })
    expect(of('mariadb')).toEqual({})
  })

  it('take a joined namespace as one', () => {
    const tree = treeOf({ 'ab.yaml': LEAF, 'cd.yaml': `${LEAF}network_mode: service:ab\n` })
    expect([...(tree.leaves.get('cd')?.dependencies ?? [])]).toEqual([
      ['ab', { condition: 'service_started', restart: true }],
    ])
  })

  it('find a leaf in another set by its name', () => {
    const tree = treeOf({
      'db/set.yaml': '{}',
      'db/mariadb.yaml': LEAF,
      'ab.yaml': `${LEAF}depends_on: {mariadb: {condition: service_healthy, restart: true}}\n`,
    })
    expect(tree.leaves.get('ab')?.dependencies.get('mariadb')).toEqual({ condition: 'service_healthy', restart: true })
  })
})

describe('networks and volumes', () => {
  it('are named after the deployment unless they say otherwise', () => {
    const tree = treeOf({
      'deployment.yaml': `${DEPLOYMENT}networks: {front: {}, out: {external: true}, own: {name: mine}}\nvolumes: {data: {}, nfs: {external: true, name: real}}\n`,
      'ab.yaml': `${LEAF}networks: [front]\nvolumes: ["data:/data"]\n`,
    })
    expect([...tree.networks].map(([key, { name, external }]) => [key, name, external])).toEqual([
      ['front', 'shop_front', false],
      ['out', 'out', true],
      ['own', 'mine', false],
    ])
    expect([...tree.volumes.values()].map(({ name }) => name)).toEqual(['shop_data', 'real'])
  })

  it('have a default network where a leaf names none', () => {
    expect([...treeOf({ 'ab.yaml': LEAF }).networks.keys()]).toEqual(['default'])
  })
})

describe('a reader that has read before', () => {
  it('points at the places of the newest files where nothing was read again', () => {
    const set = (before: string): string => `${before}defaults:\n  ports: ["80:80"]\n`
    const texts = { 'deployment.yaml': DEPLOYMENT, 'db/ab.yaml': LEAF, 'db/set.yaml': set('description: one\n') }
    const reader = createReader()
    const first = snapshotOf(texts)
    reader.read(first, { host: null })
    for (const before of ['description: two\n', 'description: two\n\n# longer\n', '']) {
      const next = snapshotOf({ ...texts, 'db/set.yaml': set(before), 'db/cd.yaml': LEAF }, { base: first })
      const clash = createReader().read(next, { host: null })
      expect(clash.problems).not.toEqual([])
      expect(reader.read(next, { host: null })).toEqual(clash)
      expect(reader.read(first, { host: null }).problems).toEqual([])
    }
  })

  const files: Record<string, FileContent> = {
    'deployment.yaml': DEPLOYMENT,
    'db/set.yaml': '{}',
    'db/ab.yaml': `${LEAF}files: {/x: x.txt}\n`,
    'db/cd.yaml': `${LEAF}depends_on: [ab]\n`,
    'db/ef.yaml': LEAF,
    'db/x.txt': 'one',
  }
  const changes: [string, Record<string, FileContent | null>, string[]][] = [
    ['nothing', {}, []],
    ['one leaf', { 'db/ab.yaml': `${LEAF}user: "5"\nfiles: {/x: x.txt}\n` }, ['ab']],
    ['a mounted file', { 'db/x.txt': 'two' }, ['ab']],
    ['a new leaf', { 'db/gh.yaml': LEAF }, ['gh']],
    ['a leaf that goes', { 'db/ef.yaml': null }, []],
    ['what a set says of itself', { 'db/set.yaml': 'depends_on: []\ndescription: data\n' }, []],
    ['what the deployment says of itself', { 'deployment.yaml': `${DEPLOYMENT}description: a shop\n` }, []],
    ['a default of a set', { 'db/set.yaml': 'defaults: {user: "5"}\n' }, ['ab', 'cd', 'ef']],
    ['a variable of the deployment', { 'deployment.yaml': `${DEPLOYMENT}variables: {A: b}\n` }, ['ab', 'cd', 'ef']],
    ['the state of a set', { 'db/set.yaml': 'state: stopped\n' }, ['ab', 'cd', 'ef']],
    ['what another depends on', { 'db/cd.yaml': `${LEAF}depends_on: [ab, ef]\n` }, ['cd']],
    ['a file nobody reads', { 'db/notes.md': 'x' }, []],
  ]

  it.each(changes)(
    'after a change of %s gives what a fresh one gives, and keeps the other leaves',
    (_, change, expected) => {
      const reader = createReader()
      const first = snapshotOf(files)
      const before = reader.read(first, { host: null }).tree
      const wanted = Object.fromEntries(
        Object.entries({ ...files, ...change }).filter(([, content]) => content !== null),
      ) as Record<string, FileContent>
      const second = snapshotOf(wanted, { base: first })
      const after = reader.read(second, { host: null })
      expect(after).toEqual(createReader().read(second, { host: null }))
      const fresh = [...(after.tree?.leaves ?? [])].filter(([name, leaf]) => before?.leaves.get(name) !== leaf)
      expect(fresh.map(([name]) => name)).toEqual(expected)
      const back = reader.read(first, { host: null })
      expect(back).toEqual(createReader().read(first, { host: null }))
    },
  )

  it('sees a change of the host’s values', () => {
    const reader = createReader()
    const snapshot = snapshotOf({
      'deployment.yaml': `${DEPLOYMENT}host_variables: {A: {example: x}}\n`,
      'ab.yaml': `${LEAF}user: \${A}\n`,
    })
    const user = (value: string) =>
      reader.read(snapshot, { host: new Map([['A', value]]) }).tree?.leaves.get('ab')?.spec.user
    expect([user('1'), user('2'), user('1')]).toEqual(['1', '2', '1'])
  })

  it('sees a problem come and go', () => {
    const reader = createReader()
    const good = snapshotOf(files)
    reader.read(good, { host: null })
    const bad = snapshotOf({ ...files, 'db/cd.yaml': `${LEAF}depends_on: [xx]\n` }, { base: good })
    expect(reader.read(bad, { host: null }).problems).toHaveLength(1)
    expect(reader.read(good, { host: null }).problems).toEqual([])
  })

  it('reads one changed leaf of 10,000 without touching the others', () => {
    const many: Record<string, FileContent> = { 'deployment.yaml': DEPLOYMENT }
    for (let set = 0; set < 100; set++) {
      many[`s${set}/set.yaml`] = set === 0 ? '{}' : `depends_on: [s${set - 1}]\n`
      for (let leaf = 0; leaf < 100; leaf++) many[`s${set}/l-${set}-${leaf}.yaml`] = LEAF
    }
    const reader = createReader()
    let snapshot = snapshotOf(many)
    const before = reader.read(snapshot, { host: null }).tree
    const times: number[] = []
    let changed: string[] = []
    for (let turn = 0; turn < 15; turn++) {
      many['s50/l-50-50.yaml'] = `${LEAF}user: "${turn + 1}"\n`
      snapshot = snapshotOf(many, { base: snapshot })
      const start = performance.now()
      const tree = reader.read(snapshot, { host: null }).tree
      times.push(performance.now() - start)
      changed = [...(tree?.leaves ?? [])]
        .filter(([name, leaf]) => before?.leaves.get(name) !== leaf)
        .map(([name]) => name)
    }
    expect(changed).toEqual(['l-50-50'])
    expect(Math.min(...times)).toBeLessThan(40)
  }, 60_000)
})
