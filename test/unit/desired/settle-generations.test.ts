// Generations settled in the text of files: the next free number where the ledger wants one, and nothing else.

import { describe, expect, it } from 'vitest'

import { editedSnapshot } from '../../../src/desired/edited-snapshot.ts'
import { EMPTY_LEDGER, extendLedger, leafClaims, type Ledger } from '../../../src/desired/ledger.ts'
import { judgeLeaf } from '../../../src/desired/ledger-judge.ts'
import { createReader } from '../../../src/desired/read.ts'
import { settleGenerations, type SettleOptions } from '../../../src/desired/settle-generations.ts'
import type { Tree } from '../../../src/desired/tree.ts'
import type { Snapshot } from '../../../src/repository/snapshot.ts'
import { snapshotOf } from './snapshot-of.ts'

const ROOT = 'name: shop\nformat: 1\n'
const BEFORE = {
  'deployment.yaml': ROOT,
  'web/set.yaml': 'version: "1.0"\n',
  'web/api.yaml': '# the API\nimage: docker.io/x/api:${version}\ngeneration: 3   # 1111111\n',
  'web/front.yaml': 'generation: 1\nimage: docker.io/x/front:1\nfiles: {/etc/x: ./x.conf}\n',
  'web/x.conf': 'one\n',
}

const reader = createReader()

function treeOf(snapshot: Snapshot): Tree {
  const { tree, problems } = reader.read(snapshot, { host: null })
  if (tree === null) throw new Error(JSON.stringify(problems))
  return tree
}

function ledgerOf(...snapshots: Snapshot[]): Ledger {
  const steps = snapshots.map((snapshot, index) => ({
    commit: { id: String(index).repeat(40), subject: `Commit ${index}` },
    claims: leafClaims(treeOf(snapshot)),
  }))
  return extendLedger(EMPTY_LEDGER, steps)
}

function settle(files: Readonly<Record<string, string>>, ledger: Ledger, more: Partial<SettleOptions> = {}) {
  const snapshot = snapshotOf(files)
  const result = settleGenerations(snapshot, { reader, ledger, inAncestors: () => false, comments: true, ...more })
  const texts = Object.fromEntries(
    result.changes.map(({ path, content }) => [path, content === null ? null : Buffer.from(content).toString()]),
  )
  return { ...result, texts, after: editedSnapshot(snapshot, result.changes) }
}

const start = { ...BEFORE, 'web/api.yaml': BEFORE['web/api.yaml'].replace('   # 1111111', '') }
const ledger = ledgerOf(snapshotOf(start))
const digest = (tree: Tree | null, leaf: string): string => tree?.leaves.get(leaf)?.ledgerDigest.slice(0, 7) ?? 'none'

describe('settleGenerations', () => {
  it('touches nothing where every number stands', () => {
    expect(settle(start, ledger)).toMatchObject({ changes: [], leaves: [], problems: [] })
  })

  it('gives the next free number to each leaf whose spec changed, be it by a version or a file', () => {
    const { texts, leaves, tree } = settle(
      { ...start, 'web/set.yaml': 'version: "1.1"\n', 'web/x.conf': 'two\n' },
      ledger,
    )
    expect(texts).toEqual({
      'web/api.yaml': `# the API\nimage: docker.io/x/api:\${version}\ngeneration: 4 # ${digest(tree, 'api')}\n`,
      'web/front.yaml': `generation: 2 # ${digest(tree, 'front')}\nimage: docker.io/x/front:1\nfiles: {/etc/x: ./x.conf}\n`,
    })
    expect(leaves).toMatchObject([
      { leaf: 'api', file: 'web/api.yaml', from: 3, to: 4 },
      { leaf: 'front', file: 'web/front.yaml', from: 1, to: 2 },
    ])
    expect(leaves[0]?.digest).toBe(tree?.leaves.get('api')?.ledgerDigest)
  })

  it('ends with what the ledger admits, and then has nothing more to do', () => {
    const changed = { ...start, 'web/set.yaml': 'version: "1.1"\n' }
    const { after } = settle(changed, ledger)
    for (const leaf of treeOf(after).leaves.values()) expect(judgeLeaf(leaf, ledger, () => false)).toBeNull()
    const again = settleGenerations(after, { reader, ledger, inAncestors: () => false, comments: true })
    expect(again).toMatchObject({ changes: [], leaves: [] })
  })

  it('lets a number stand that is new, and one that goes back to what it meant', () => {
    const second = {
      ...start,
      'web/front.yaml': start['web/front.yaml'].replace('front:1', 'front:2').replace('1', '2'),
    }
    const both = ledgerOf(snapshotOf(start), snapshotOf(second))
    expect(settle(second, ledger).changes).toEqual([])
    expect(settle(start, both).changes).toEqual([])
  })

  it('asks for ancestors where a number is below the highest', () => {
    const low = { ...start, 'web/api.yaml': start['web/api.yaml'].replace('3', '2') }
    expect(settle(low, ledger).texts['web/api.yaml']).toContain('generation: 4 # ')
    expect(settle(low, ledger, { inAncestors: () => true }).changes).toEqual([])
  })

  it('corrects a wrong digest comment alone', () => {
    const { texts, leaves, tree } = settle(BEFORE, ledger)
    expect(texts).toEqual({
      'web/api.yaml': BEFORE['web/api.yaml'].replace('1111111', digest(tree, 'api')),
    })
    expect(leaves).toMatchObject([{ leaf: 'api', from: 3, to: 3 }])
  })

  it('writes no comment where none is wished, and corrects the one that is there', () => {
    const changed = { ...BEFORE, 'web/set.yaml': 'version: "1.1"\n', 'web/x.conf': 'two\n' }
    const { texts, tree } = settle(changed, ledger, { comments: false })
    expect(texts['web/api.yaml']).toContain(`generation: 4   # ${digest(tree, 'api')}\n`)
    expect(texts['web/front.yaml']).toContain('generation: 2\n')
  })

  it('keeps a comment in words', () => {
    const changed = {
      ...start,
      'web/front.yaml': 'generation: 1 # counts\nimage: docker.io/x/front:2\n',
    }
    expect(settle(changed, ledger).texts['web/front.yaml']).toBe('generation: 2 # counts\nimage: docker.io/x/front:2\n')
  })

  it('leaves alone what it is not asked for', () => {
    const changed = { ...start, 'web/set.yaml': 'version: "1.1"\n', 'web/x.conf': 'two\n' }
    const { leaves } = settle(changed, ledger, { only: ({ name }) => name === 'front' })
    expect(leaves.map(({ leaf }) => leaf)).toEqual(['front'])
  })

  it('knows the ingress, whose number stands in deployment.yaml', () => {
    const deployment = (image: string): string => `${ROOT}ingress: {image: ${image}, generation: 1}\n`
    const first = { ...start, 'deployment.yaml': deployment('docker.io/library/haproxy:3.2') }
    const second = { ...first, 'deployment.yaml': deployment('docker.io/library/haproxy:3.3') }
    const { texts, leaves, after } = settle(second, ledgerOf(snapshotOf(first)))
    expect(leaves).toMatchObject([{ file: 'deployment.yaml', from: 1, to: 2 }])
    expect(texts['deployment.yaml']).toMatch(
      /ingress: \{image: docker.io\/library\/haproxy:3.3, generation: 2\} # [0-9a-f]{7}\n$/,
    )
    for (const leaf of treeOf(after).leaves.values()) {
      expect(judgeLeaf(leaf, ledgerOf(snapshotOf(first)), () => false)).toBeNull()
    }
  })

  it('numbers a leaf that says no generation', () => {
    const files = {
      ...start,
      'web/new.yaml': 'image: docker.io/x/new:1\n',
      'web/front.yaml': 'image: docker.io/x/front:9\n',
    }
    const { texts, leaves, tree } = settle(files, ledger)
    expect(texts).toEqual({
      'web/front.yaml': `generation: 2 # ${digest(tree, 'front')}\nimage: docker.io/x/front:9\n`,
      'web/new.yaml': `generation: 1 # ${digest(tree, 'new')}\nimage: docker.io/x/new:1\n`,
    })
    expect(leaves).toMatchObject([
      { leaf: 'front', from: null, to: 2 },
      { leaf: 'new', from: null, to: 1 },
    ])
  })

  it('touches nothing where the files do not read', () => {
    const { changes, tree, problems } = settle({ ...start, 'web/new.yaml': 'imag: x\n' }, ledger)
    expect({ changes, tree }).toEqual({ changes: [], tree: null })
    expect(problems.map(({ message }) => message)).toContain('generation is missing')
  })

  it('ends where the file of a leaf is part of its own spec, and of another one', () => {
    const files = {
      ...start,
      'web/self.yaml': 'generation: 1\nimage: docker.io/x/self:1\nfiles: {/me: ./self.yaml}\n',
      'web/other.yaml': 'generation: 1\nimage: docker.io/x/other:1\nfiles: {/me: ./self.yaml}\n',
    }
    const first = ledgerOf(snapshotOf(files))
    const changed = { ...files, 'web/self.yaml': files['web/self.yaml'].replace('self:1', 'self:2') }
    const { after, texts, leaves } = settle(changed, first)
    expect(leaves.map(({ leaf, to }) => [leaf, to])).toEqual([
      ['other', 2],
      ['self', 2],
    ])
    expect(texts['web/self.yaml']).toContain('generation: 2\n')
    for (const leaf of treeOf(after).leaves.values()) expect(judgeLeaf(leaf, first, () => false)).toBeNull()
  })

  it('says which number it could not write', () => {
    const files = { ...start, 'web/front.yaml': `generation: &n 1\nimage: docker.io/x/front:1\ncpus: *n\n` }
    const first = ledgerOf(
      snapshotOf({ ...start, 'web/front.yaml': files['web/front.yaml'].replace('front:1', 'front:0') }),
    )
    const { problems, changes } = settle(files, first)
    expect(changes).toEqual([])
    expect(problems).toMatchObject([{ leaf: 'front', severity: 'held' }])
  })
})
