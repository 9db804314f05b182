// What is said of a swap: beforehand in a plan, at its end in a line, and summed up.

import { describe, expect, it } from 'vitest'

import type { TableResult } from '../../../src/apply/outcome.ts'
import type { Plan, Verdict } from '../../../src/plan/verdict.ts'
import { createPalette } from '../../../src/report/palette.ts'
import { planLines } from '../../../src/report/plan-lines.ts'
import { settledLines } from '../../../src/report/settled-lines.ts'
import { summaryLines } from '../../../src/report/summary-lines.ts'
import { drainText, gapText, grouped, seconds } from '../../../src/report/swap-words.ts'

const palette = createPalette(false)

function replace(leaf: string, gap: Verdict['gap']): Verdict {
  return {
    leaf,
    set: '',
    kind: 'replace',
    because: 'generation 1 → 2',
    changes: [],
    fromGeneration: 1,
    toGeneration: 2,
    order: null,
    gains: [],
    notes: [],
    gap,
    retryAt: null,
    awaits: null,
  }
}

const verdicts = [
  replace('web', { milliseconds: 0, because: 'the new one answers before the old one goes' }),
  replace('sql', { milliseconds: 600, because: 'measured the last time' }),
  replace('new', { milliseconds: null, because: 'about a stop, a start and its check' }),
]
const plan: Plan = { deployment: 'shop', commit: null, verdicts, tables: [], removalHeld: null, notes: [] }

const result: TableResult = {
  table: {
    id: 'web',
    leaves: ['web', 'sql'],
    after: [],
    preemptible: true,
    prepare: [],
    commit: [rename()],
    cleanup: [],
  },
  outcome: { kind: 'done' },
  leftovers: [],
  startedAt: 0,
  endedAt: 9_000,
  gates: new Map([
    ['web', 1_200],
    ['sql', 900],
  ]),
  gaps: new Map([['sql', 640]]),
  drains: new Map([['web', { how: 'idle', milliseconds: 820, open: 0 }]]),
  availability: new Map([
    ['web', { port: '0.0.0.0:80', tried: 1_203, lost: 0, longestPause: 31 }],
    ['sql', { port: '0.0.0.0:5432', tried: 900, lost: 61, longestPause: 655 }],
  ]),
}

function rename() {
  return { action: { do: 'rename', container: { leaf: 'web', name: 'web', id: 'x' }, to: 'web' }, undo: [] } as const
}

describe('a plan', () => {
  it('names the gap to expect', () => {
    const lines = planLines(plan, { palette, all: false }).filter((line) => line.includes('gap'))
    expect(lines.map((line) => line.trim())).toEqual([
      'no gap',
      'expected gap 0.6 s, as measured the last time',
      'expected gap: about a stop, a start and its check',
    ])
  })
})

describe('the end of a table', () => {
  it('tells gate, gap, drain and what clients saw', () => {
    const known = new Map(verdicts.map((verdict) => [verdict.leaf, verdict]))
    expect(settledLines(result, known, palette)).toEqual([
      '✓ web  1 → 2  gate 1.2 s  drained in 0.8 s  0 of 1,203 lost, longest pause 0.03 s',
      '✓ sql  1 → 2  gate 900 ms  gap 0.6 s  61 of 900 lost, longest pause 0.7 s',
    ])
  })

  it('is summed up, and not at all where nothing was measured', () => {
    expect(summaryLines(plan, 2, '9 s', palette, [result])).toContain(
      'longest gap 0.6 s (sql); 61 of 2,103 lost, longest pause 0.7 s (sql)',
    )
    const bare = { ...result, gaps: new Map(), availability: new Map() }
    expect(summaryLines(plan, 2, '9 s', palette, [bare])).toEqual(summaryLines(plan, 2, '9 s', palette))
  })
})

describe('words', () => {
  it('for spans and counts', () => {
    expect([0, 40, 640, 9_900, 9_990, 75_000].map(seconds)).toEqual([
      '0.00 s',
      '0.04 s',
      '0.6 s',
      '9.9 s',
      '10 s',
      '1 min 15 s',
    ])
    expect([0, 999, 1_000, 1_234_567].map(grouped)).toEqual(['0', '999', '1,000', '1,234,567'])
    expect(gapText(0)).toBe('no gap')
    expect(drainText({ how: 'time', milliseconds: 10_000, open: null })).toBe('drain over after 10 s')
    expect(drainText({ how: 'closing', milliseconds: 10, open: null })).toBe('drain cut short')
  })
})
