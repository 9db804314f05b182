// What may happen in a simulated history, as values that can be drawn at random, printed and made smaller.

import * as fc from 'fast-check'

import { CALL_FAULTS, type CallFault } from './faulty-engine.ts'
import { FLAVOURS, LEAVES, SETS, type Flavour } from './site.ts'

export type Step = { readonly wait: number } & (
  | { readonly do: 'wait' }
  | { readonly do: 'bump'; readonly leaves: readonly string[]; readonly flavour: Flavour }
  | { readonly do: 'back'; readonly leaf: string; readonly by: number }
  | { readonly do: 'remove' | 'add'; readonly leaf: string }
  | { readonly do: 'move-port' | 'swap-ports' }
  | { readonly do: 'stop-set' | 'suspend-set'; readonly set: string }
  | { readonly do: 'unreadable' }
  | { readonly do: 'kill'; readonly calls: number; readonly moment: 'before' | 'after'; readonly away: number }
  | { readonly do: 'end'; readonly away: number }
  | { readonly do: 'engine-restart'; readonly live: boolean; readonly away: number }
  | { readonly do: 'calls'; readonly faults: readonly CallFault[]; readonly gap: number; readonly count: number }
  | { readonly do: 'events'; readonly how: 'late' | 'twice' | 'never'; readonly count: number }
  | { readonly do: 'hand'; readonly act: HandAct; readonly pick: number }
  | { readonly do: 'clock'; readonly by: number }
  | { readonly do: 'ask'; readonly for: 'retry' | 'restart'; readonly leaf: string }
)

export const HAND_ACTS = ['stop', 'start', 'kill', 'remove', 'pause', 'rename', 'policy', 'prune'] as const
export type HandAct = (typeof HAND_ACTS)[number]

const wait = fc.constantFrom(0, 20, 120, 300, 700, 1_500, 3_000, 8_000, 20_000, 70_000, 200_000)
const leaf = fc.constantFrom(...LEAVES)
const set = fc.constantFrom(...SETS)
const flavour = fc.oneof({ weight: 3, arbitrary: fc.constant<Flavour>('good') }, fc.constantFrom(...FLAVOURS))
const away = fc.constantFrom(0, 500, 5_000, 90_000)

export const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 2, arbitrary: fc.record({ do: fc.constant('wait' as const), wait }) },
  {
    weight: 8,
    arbitrary: fc.record({
      do: fc.constant('bump' as const),
      leaves: fc.uniqueArray(leaf, { minLength: 1, maxLength: 4 }),
      flavour,
      wait,
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({ do: fc.constant('back' as const), leaf, by: fc.integer({ min: 1, max: 3 }), wait }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constantFrom('remove' as const, 'add' as const), leaf, wait }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constantFrom('move-port' as const, 'swap-ports' as const), wait }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constantFrom('stop-set' as const, 'suspend-set' as const), set, wait }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('unreadable' as const), wait }) },
  {
    weight: 5,
    arbitrary: fc.record({
      do: fc.constant('kill' as const),
      calls: fc.integer({ min: 1, max: 60 }),
      moment: fc.constantFrom('before' as const, 'after' as const),
      away,
      wait,
    }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('end' as const), away, wait }) },
  {
    weight: 2,
    arbitrary: fc.record({ do: fc.constant('engine-restart' as const), live: fc.boolean(), away, wait }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constant('calls' as const),
      faults: fc.array(fc.constantFrom(...CALL_FAULTS), { minLength: 1, maxLength: 4 }),
      gap: fc.integer({ min: 0, max: 12 }),
      count: fc.integer({ min: 1, max: 12 }),
      wait,
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constant('events' as const),
      how: fc.constantFrom('late' as const, 'twice' as const, 'never' as const),
      count: fc.integer({ min: 1, max: 100 }),
      wait,
    }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constant('hand' as const),
      act: fc.constantFrom(...HAND_ACTS),
      pick: fc.nat({ max: 40 }),
      wait,
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ do: fc.constant('clock' as const), by: fc.constantFrom(-7_200_000, 3_600_000), wait }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      do: fc.constant('ask' as const),
      for: fc.constantFrom('retry' as const, 'restart' as const),
      leaf,
      wait,
    }),
  },
)

export const steps: fc.Arbitrary<readonly Step[]> = fc.array(step, { minLength: 3, maxLength: 18 })
