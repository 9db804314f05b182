// The message of a revert, which is read by people and by git.

import { describe, expect, it } from 'vitest'

import { revertMessage, revertSubject, type Reverted } from '../../../src/report/revert-words.ts'
import type { LeafDifference } from '../../../src/plan/tree-difference.ts'
import type { CommitFacts } from '../../../src/repository/snapshot.ts'

const commit = (subject: string, parents = ['b'.repeat(40)]): CommitFacts => ({
  id: 'a'.repeat(40),
  parents,
  subject,
  author: 'Ada',
  time: 0,
})
const ofCommit = (subject: string, more: Partial<Extract<Reverted, { kind: 'commit' }>> = {}): Reverted => ({
  kind: 'commit',
  commit: commit(subject),
  outside: 0,
  ...more,
})
const leaf = (more: Partial<LeafDifference>): LeafDifference => ({
  leaf: 'page',
  set: 'web',
  how: 'changed',
  from: 3,
  to: 2,
  formerly: null,
  changes: [],
  gains: [],
  ...more,
})

describe('the subject', () => {
  it.each([
    ['Bump page', 'Revert "Bump page"'],
    ['Revert "Bump page"', 'Reapply "Bump page"'],
    ['Reapply "Bump page"', 'Revert "Reapply "Bump page""'],
    ['Revert "Revert "Bump page""', 'Revert "Revert "Revert "Bump page"""'],
    ['Revert page to generation 2', 'Revert "Revert page to generation 2"'],
  ])('of %s is %s', (subject, expected) => {
    expect(revertSubject(ofCommit(subject))).toBe(expected)
  })

  it('names a leaf with its generation, a set with a commit, and everything', () => {
    const back = { commit: commit('x'), takesBack: [], generation: null }
    expect(revertSubject({ kind: 'leaf', name: 'page', ...back, generation: 2 })).toBe('Revert page to generation 2')
    expect(revertSubject({ kind: 'leaf', name: 'page', ...back })).toBe('Revert page to aaaaaaa')
    expect(revertSubject({ kind: 'set', name: '.', ...back })).toBe('Revert everything to aaaaaaa')
  })
})

describe('the message', () => {
  it('says which commit, of a merge against what, and what stays', () => {
    const merge = ofCommit('Merge', { commit: commit('Merge', ['b'.repeat(40), 'c'.repeat(40)]), outside: 2 })
    expect(revertMessage(merge, null, null)).toBe(
      [
        'Revert "Merge"',
        '',
        `This reverts commit ${'a'.repeat(40)}, reversing`,
        `changes made to ${'b'.repeat(40)}.`,
        '',
        "Only the deployment's part of it: 2 files elsewhere stay as they are.",
      ].join('\n'),
    )
  })

  it('has the reason before the leaves, the image first, and counts what is too much', () => {
    const fields = Array.from({ length: 8 }, (_, at) => ({ field: `labels.l${at}`, from: null, to: 'x' }))
    const image = { field: 'image', from: 'x/page:8', to: 'x/page:7' }
    const leaves = [
      leaf({ changes: [...fields, image] }),
      leaf({ leaf: 'old', how: 'added', from: null, to: 4 }),
      leaf({ leaf: 'new', how: 'removed', from: 1, to: null }),
      leaf({ leaf: 'same', from: 2, changes: [{ field: 'environment.A', from: 'x'.repeat(80), to: 'y' }] }),
    ]
    const [, , , , reason, , ...list] = revertMessage(ofCommit('x'), { leaves }, 'Because.').split('\n')
    expect(reason).toBe('Because.')
    expect(list).toEqual([
      '- page 3 → 2: x/page:8 → :7, labels.l0 added, labels.l1 added, labels.l2 added, labels.l3 added, labels.l4 added, 3 more',
      '- old 4 comes back',
      '- new 1 goes',
      '- same 2: environment.A changed',
    ])
    const many = Array.from({ length: 130 }, (_, at) => leaf({ leaf: `l${at}` }))
    expect(revertMessage(ofCommit('x'), { leaves: many }, null)).toContain('\n- and 30 more')
  })
})
