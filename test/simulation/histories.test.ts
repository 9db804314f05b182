// Random histories of whole daemons on the engine in memory. GRAFT_SIMULATION says how many (`npm run test:simulation`:
// 100,000); a failure prints its seed and path, and GRAFT_SEED with GRAFT_PATH runs that one again, with its story.

import * as fc from 'fast-check'
import { expect, it, vi } from 'vitest'

import { live } from './history.ts'
import { steps } from './steps.ts'

const HISTORIES = Number(process.env['GRAFT_SIMULATION'] ?? 60)
/** Milliseconds that one may take on the average, on a machine that is busy besides; a quiet one needs a tenth. */
const EACH = 1000
const seed = process.env['GRAFT_SEED']
const path = process.env['GRAFT_PATH']

it(
  `${HISTORIES} random histories keep every invariant`,
  async () => {
    const total = { histories: 0, calls: 0, faults: 0, deaths: 0, turns: 0, longest: 0 }
    const began = performance.now()
    const property = fc.asyncProperty(steps, async (drawn) => {
      // The pauses of a daemon are a little random; the same history is to go the same way.
      let state = 12_345
      const random = vi
        .spyOn(Math, 'random')
        .mockImplementation(() => (state = (state * 16_807) % 2_147_483_647) / 2_147_483_647)
      try {
        const ended = await live(drawn)
        total.histories++
        total.calls += ended.calls
        total.faults += ended.faults
        total.deaths += ended.deaths
        total.turns += ended.turns
        total.longest = Math.max(total.longest, ended.settledIn ?? 0)
        if (ended.violations.length > 0) {
          throw new Error(
            [...ended.violations.map(({ invariant, text }) => `${invariant} ${text}`), ...ended.story].join('\n  '),
          )
        }
      } finally {
        random.mockRestore()
      }
    })
    const details = await fc.check(property, {
      numRuns: HISTORIES,
      ...(seed === undefined ? {} : { seed: Number(seed) }),
      ...(path === undefined ? {} : { path }),
    })
    const seconds = (performance.now() - began) / 1000
    console.log(
      `${total.histories} histories, ${total.turns} turns, ${total.calls} engine calls, ${total.faults} faults, ${total.deaths} deaths of graft in ${seconds.toFixed(1)} s` +
        ` (${Math.round((total.turns / seconds) * 60)} turns a minute); the longest way back took ${(total.longest / 1000).toFixed(0)} s; seed ${details.seed}`,
    )
    const because = details.errorInstance instanceof Error ? details.errorInstance.message : ''
    expect(details.failed ? `${fc.defaultReportMessage(details)}\n${because}` : '').toBe('')
  },
  600_000 + HISTORIES * EACH,
)
