// The three rules of generations, one by one and over random histories.

import fc from 'fast-check'
import { describe, expect, it } from 'vitest'

import { canonicalJson } from '../../../src/desired/ledger-digest.ts'
import { judgeLeaf } from '../../../src/desired/ledger-judge.ts'
import {
  EMPTY_LEDGER,
  changedClaims,
  extendLedger,
  leafClaims,
  ledgerKnows,
  nextFreeGeneration,
} from '../../../src/desired/ledger.ts'
import type { LeafClaim, Ledger, LedgerStep } from '../../../src/desired/ledger.ts'
import { createReader } from '../../../src/desired/read.ts'
import type { Leaf } from '../../../src/desired/tree.ts'
import { snapshotOf } from './snapshot-of.ts'

function treeOf(leaves: Record<string, string>) {
  const { tree, problems } = createReader().read(
    snapshotOf({ 'deployment.yaml': 'name: shop\nformat: 1\n', ...leaves }),
    { host: null },
  )
  if (tree === null) throw new Error(JSON.stringify(problems))
  return tree
}

const template = [...treeOf({ 'ab.yaml': 'generation: 1\nimage: x\n' }).leaves.values()][0]
if (template === undefined) throw new Error('no leaf')

function leafWith(facts: Partial<Leaf>): Leaf {
  return { ...(template as Leaf), ...facts }
}

const claim = (generation: number, digest: string, leaf = 'ab', renamedFrom: string | null = null): LeafClaim => ({
  leaf,
  generation,
  digest,
  file: `${leaf}.yaml`,
  line: 1,
  renamedFrom,
})

/** One commit for each claim, named c0, c1 … */
function ledgerOf(...claims: LeafClaim[]): Ledger {
  return extendLedger(
    EMPTY_LEDGER,
    claims.map((one, index): LedgerStep => ({
      commit: { id: `c${index}`.padEnd(40, '0'), subject: `commit ${index}` },
      claims: [one],
    })),
  )
}

const never = (): boolean => false

describe('the rules', () => {
  const ledger = ledgerOf(claim(1, 'aaa'), claim(2, 'bbb'), claim(5, 'ccc'))

  it.each([
    ['the number it has', 5, 'ccc', null],
    ['a new spec under a new number', 6, 'ddd', null],
    ['a number far above', 99, 'ddd', null],
    ['an old spec under a new number', 6, 'aaa', null],
    ['a rollback', 2, 'bbb', null],
    [
      'another spec under a used number',
      5,
      'ddd',
      /generation 5 .*already means another spec since commit c200000 “commit 2”.*generation: 6/,
    ],
    ['another spec under an old number', 1, 'ddd', /since commit c000000 “commit 0”.*generation: 6/],
    ['an old spec under another used number', 5, 'bbb', /generation: 6, or 2, which is this very spec/],
    ['a number below that was never used', 4, 'ddd', /below 5, which commit c200000 “commit 2” used.*generation: 6/],
  ])('%s', (_, generation, digest, expected) => {
    const problem = judgeLeaf(leafWith({ generation, ledgerDigest: digest }), ledger, never)
    if (expected === null) expect(problem).toBeNull()
    else {
      expect(`${problem?.message} ${problem?.remedy}`).toMatch(expected)
      expect(problem).toMatchObject({ severity: 'held', leaf: 'ab', file: 'ab.yaml', line: 1 })
    }
  })

  it('accept a lower number that an ancestor behind a merge had', () => {
    const side = ledgerOf(claim(3, 'sss'))
    const inAncestors = (leaf: string, generation: number, digest: string) =>
      ledgerKnows(side, leaf, generation, digest)
    expect(judgeLeaf(leafWith({ generation: 3, ledgerDigest: 'sss' }), ledger, inAncestors)).toBeNull()
    expect(judgeLeaf(leafWith({ generation: 3, ledgerDigest: 'other' }), ledger, inAncestors)).not.toBeNull()
  })

  it('never guess at a shallow boundary', () => {
    const problem = judgeLeaf(leafWith({ generation: 3, ledgerDigest: 'x' }), ledger, () => 'unknown')
    expect(problem?.message).toContain('shallow')
  })

  it('give the first generation to a leaf nobody has seen', () => {
    expect(judgeLeaf(leafWith({ name: 'new', generation: 1, ledgerDigest: 'x' }), ledger, never)).toBeNull()
    expect([nextFreeGeneration(ledger, 'new'), nextFreeGeneration(ledger, 'ab')]).toEqual([1, 6])
  })

  it('do not let a refused commit give a number its meaning', () => {
    const tricked = ledgerOf(claim(5, 'aaa'), claim(3, 'bad'), claim(5, 'other'))
    expect(tricked.get('ab')?.map(({ generation, digest }) => [generation, digest])).toEqual([[5, 'aaa']])
    expect(judgeLeaf(leafWith({ generation: 3, ledgerDigest: 'bad' }), tricked, never)).not.toBeNull()
  })

  it('follow a leaf to its new name', () => {
    const renamed = ledgerOf(claim(1, 'aaa'), claim(2, 'bbb'), claim(3, 'ccc', 'cd', 'ab'))
    const now = (generation: number, ledgerDigest: string, from: Ledger) =>
      judgeLeaf(leafWith({ name: 'cd', renamed_from: 'ab', generation, ledgerDigest }), from, never)
    expect(now(3, 'ccc', renamed)).toBeNull()
    expect(now(2, 'bbb', renamed)).toBeNull()
    expect(now(2, 'xxx', renamed)).not.toBeNull()
    expect(now(2, 'bbb', ledger)).toBeNull()
    expect(now(1, 'xxx', ledger)?.remedy).toContain('generation: 6')
    expect(renamed.get('ab')).toHaveLength(2)
  })
})

describe('the digest comment', () => {
  const leaf = (digestComment: string | null) => leafWith({ generation: 1, ledgerDigest: 'abcdef0123', digestComment })
  it.each([null, 'abcdef', 'abcdef0123'])('%s stands', (comment) => {
    expect(judgeLeaf(leaf(comment), EMPTY_LEDGER, never)).toBeNull()
  })

  it('that says another digest holds the leaf', () => {
    const problem = judgeLeaf(leaf('abcde1'), EMPTY_LEDGER, never)
    expect(problem).toMatchObject({
      severity: 'held',
      message: expect.stringContaining('abcdef'),
      text: 'generation: 1 # abcde1',
    })
  })
})

describe('claims', () => {
  it('are only those that changed', () => {
    const reader = createReader()
    const files = {
      'deployment.yaml': 'name: shop\nformat: 1\n',
      'ab.yaml': 'generation: 1\nimage: x\n',
      'cd.yaml': 'generation: 1\nimage: x\n',
    }
    const first = snapshotOf(files)
    const before = reader.read(first, { host: null }).tree
    const second = snapshotOf(
      { ...files, 'cd.yaml': 'generation: 2\nimage: y\n', 'ab.yaml': 'generation: 1\nimage: x\nprune: false\n' },
      { base: first },
    )
    const after = reader.read(second, { host: null }).tree
    if (before === null || after === null) throw new Error('no tree')
    expect(changedClaims(before, null)).toEqual(leafClaims(before))
    expect(changedClaims(after, before)).toMatchObject([{ leaf: 'cd', generation: 2 }])
    const ledger = extendLedger(EMPTY_LEDGER, [{ commit: { id: 'c', subject: '' }, claims: leafClaims(before) }])
    expect(extendLedger(ledger, [{ commit: { id: 'd', subject: '' }, claims: leafClaims(before) }])).toBe(ledger)
  })
})

const claims = fc.array(
  fc.record({
    leaf: fc.constantFrom('ab', 'cd'),
    generation: fc.integer({ min: 1, max: 6 }),
    digest: fc.constantFrom('p', 'q', 'r'),
    renamedFrom: fc.constantFrom(null, null, 'ab'),
  }),
  { maxLength: 25 },
)

describe('over any history', () => {
  const steps = (
    history: { leaf: string; generation: number; digest: string; renamedFrom: string | null }[],
  ): LedgerStep[] =>
    history.map((one, index) => ({
      commit: { id: `c${index}`, subject: '' },
      claims: [
        {
          ...claim(one.generation, one.digest, one.leaf),
          renamedFrom: one.renamedFrom === one.leaf ? null : one.renamedFrom,
        },
      ],
    }))

  it('a number has one digest, and numbers only grow', () => {
    fc.assert(
      fc.property(claims, (history) => {
        for (const entries of extendLedger(EMPTY_LEDGER, steps(history)).values()) {
          const numbers = entries.map((entry) => entry.generation)
          expect(numbers).toEqual([...new Set(numbers)].sort((a, b) => a - b))
        }
      }),
    )
  })

  it('what was written is never changed, in one go or commit by commit', () => {
    fc.assert(
      fc.property(claims, (history) => {
        let ledger = EMPTY_LEDGER
        for (const step of steps(history)) {
          const next = extendLedger(ledger, [step])
          for (const [leaf, entries] of ledger)
            for (const entry of entries) expect(next.get(leaf)).toContainEqual(entry)
          ledger = next
        }
        expect([...ledger]).toEqual([...extendLedger(EMPTY_LEDGER, steps(history))])
      }),
    )
  })

  it('the judgement is the same before and after the commit itself is in the ledger', () => {
    fc.assert(
      fc.property(
        claims,
        fc.integer({ min: 1, max: 7 }),
        fc.constantFrom('p', 'q', 's'),
        (history, generation, digest) => {
          const before = extendLedger(EMPTY_LEDGER, steps(history))
          const after = extendLedger(before, [
            { commit: { id: 'tip', subject: '' }, claims: [claim(generation, digest)] },
          ])
          const leaf = leafWith({ generation, ledgerDigest: digest })
          expect(judgeLeaf(leaf, after, never) === null).toBe(judgeLeaf(leaf, before, never) === null)
        },
      ),
    )
  })

  it('going back to any number that stood is allowed, with any other digest it is not', () => {
    fc.assert(
      fc.property(claims, (history) => {
        const ledger = extendLedger(EMPTY_LEDGER, steps(history))
        for (const { generation, digest } of ledger.get('ab') ?? []) {
          expect(judgeLeaf(leafWith({ generation, ledgerDigest: digest }), ledger, never)).toBeNull()
          expect(judgeLeaf(leafWith({ generation, ledgerDigest: `${digest}x` }), ledger, () => true)).not.toBeNull()
        }
        const next = nextFreeGeneration(ledger, 'ab')
        expect(judgeLeaf(leafWith({ generation: next, ledgerDigest: 'fresh' }), ledger, never)).toBeNull()
      }),
    )
  })
})

describe('canonicalJson', () => {
  it('does not depend on the order of keys, and is JSON', () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.jsonValue()), (value) => {
        const turned = Object.fromEntries(Object.entries(value).reverse())
        expect(canonicalJson(turned)).toBe(canonicalJson(value))
        expect(JSON.parse(canonicalJson(value))).toEqual(JSON.parse(JSON.stringify(value)))
      }),
    )
  })

  it('leaves out what is undefined', () => {
    expect(canonicalJson({ b: undefined, a: [undefined, { d: 1, c: 2 }] })).toBe('{"a":[null,{"c":2,"d":1}]}')
  })
})
