// What may happen in a history: edits with and without a number, bumps, reverts, merges, moves, renames, deletions, and
// commits that do not read. Each wish is plain data, so that fast-check can shrink it.

import fc from 'fast-check'

/** What is edited by hand: of a leaf's own file, of what it shares with others, or of what needs no number. */
export const EDITS = [
  'image',
  'environment',
  'prune',
  'comment',
  'version',
  'level',
  'default',
  'page.conf',
  'both.conf',
  'job.env',
] as const

export const wishes = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constant('edit' as const),
      what: fc.constantFrom(...EDITS),
      who: fc.nat(9),
      to: fc.integer({ min: 1, max: 4 }),
      number: fc.constantFrom('settled' as const, 'settled' as const, 'forgotten' as const, 'wild' as const),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      do: fc.constant('add' as const),
      who: fc.nat(3),
      set: fc.nat(2),
      to: fc.integer({ min: 1, max: 4 }),
    }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('delete' as const), who: fc.nat(9) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('move' as const), who: fc.nat(9), set: fc.nat(2) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('rename' as const), who: fc.nat(9), to: fc.nat(3) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('break' as const), who: fc.nat(9) }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('revert' as const), back: fc.nat(20) }) },
  {
    weight: 2,
    arbitrary: fc.record({ do: fc.constant('revert leaf' as const), who: fc.nat(9), generation: fc.option(fc.nat(6)) }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ do: fc.constant('revert set' as const), set: fc.nat(2), back: fc.option(fc.nat(20)) }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constant('branch' as const),
      back: fc.nat(6),
      what: fc.constantFrom(...EDITS),
      who: fc.nat(9),
      to: fc.integer({ min: 1, max: 4 }),
    }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('merge' as const), which: fc.nat(5) }) },
)

export type Wish = typeof wishes extends fc.Arbitrary<infer Value> ? Value : never

export const histories = fc.array(wishes, { maxLength: 18, size: 'max' })
