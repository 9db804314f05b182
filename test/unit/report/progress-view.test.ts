// What a person sees while work is done, event by event.

import { beforeEach, describe, expect, it } from 'vitest'

import type { Outcome } from '../../../src/apply/outcome.ts'
import type { Action, ContainerRef, Table } from '../../../src/plan/step.ts'
import type { Plan } from '../../../src/plan/verdict.ts'
import { width } from '../../../src/report/columns.ts'
import { createPalette } from '../../../src/report/palette.ts'
import { createProgressView, type ProgressView } from '../../../src/report/progress-view.ts'

const container: ContainerRef = { leaf: 'nova-api', name: 'nova-api.next', id: null }
const gate: Action = { do: 'gate', leaf: 'nova-api', container }
const image: Action = { do: 'image', leaf: 'nova-api', image: 'nova:2', always: false }
const step = (action: Action) => ({ action, undo: [] })
const swap: Table = {
  id: 'nova-api',
  leaves: ['nova-api'],
  after: [],
  preemptible: true,
  prepare: [step(image), step(gate)],
  commit: [step({ do: 'rename', container, to: 'nova-api' })],
  cleanup: [],
}
const fetch: Table = { ...swap, id: 'image of nova-api', prepare: [step(image)], commit: [] }
const plan: Plan = {
  deployment: 'shop',
  commit: null,
  tables: [swap],
  removalHeld: null,
  notes: [],
  verdicts: [
    {
      leaf: 'nova-api',
      set: '',
      kind: 'replace',
      because: 'image',
      changes: [],
      fromGeneration: 3,
      toGeneration: 4,
      order: { kind: 'start-first', because: 'nothing it holds is exclusive' },
      gains: [],
      notes: [],
      gap: null,
      retryAt: null,
      awaits: null,
    },
  ],
}

function ended(table: Table, outcome: Outcome, more: { gap?: number } = {}) {
  const gaps = new Map(more.gap === undefined ? [] : [['nova-api', more.gap]])
  const gates = new Map(table === fetch ? [] : [['nova-api', 1_240]])
  return {
    kind: 'table-ended' as const,
    result: {
      table,
      outcome,
      leftovers: [],
      startedAt: 1_000,
      endedAt: 4_000,
      gates,
      gaps,
      drains: new Map(),
      availability: new Map(),
    },
  }
}

describe('progress', () => {
  let view: ProgressView
  beforeEach(() => {
    view = createProgressView(createPalette(false))
    view.planned(plan)
    view.take({ kind: 'table-started', table: swap }, 1_000)
  })
  const live = (now = 2_000, columns = 80) => view.live(now, columns, 24).join('\n')

  it('shows a pull as a bar with its bytes', () => {
    view.take({ kind: 'step', table: swap, action: image, undo: false }, 1_000)
    view.take({ kind: 'pull', leaf: 'nova-api', current: 30_000_000, total: 120_000_000, status: 'Downloading' }, 1_500)
    expect(live()).toMatchInlineSnapshot(`
      "⠋ nova-api    1.0 s  pull  ━━━━━───────────────  25 %  30.0 MB of 120 MB
        0 of 1"
    `)
  })

  it('shows a gate with how long it takes and what the last probe saw', () => {
    view.take({ kind: 'step', table: swap, action: gate, undo: false }, 1_200)
    view.take({ kind: 'probe', leaf: 'nova-api', healthy: false, output: 'HTTP 503\nnot yet' }, 1_900)
    expect(live()).toMatchInlineSnapshot(`
      "⠋ nova-api    1.0 s  gate 800 ms  HTTP 503 not yet
        0 of 1"
    `)
  })

  it('never writes a line that a narrow terminal would wrap', () => {
    view.take({ kind: 'step', table: swap, action: gate, undo: false }, 1_200)
    view.take({ kind: 'probe', leaf: 'nova-api', healthy: false, output: 'x'.repeat(300) }, 1_900)
    for (const columns of [10, 20, 40]) {
      for (const line of view.live(2_000, columns, 24)) expect(width(line)).toBeLessThan(columns)
    }
  })

  it('never takes more lines than there are', () => {
    for (let i = 0; i < 40; i++) {
      view.take({ kind: 'table-started', table: { ...swap, id: `t${i}`, leaves: [`leaf-${i}`] } }, 1_000)
    }
    expect(view.live(2_000, 80, 10).length).toBe(9)
    expect(view.live(2_000, 80, 10).join('\n')).toContain('more')
  })

  it('settles what is done', () => {
    expect(view.take(ended(swap, { kind: 'done' }), 4_000)).toEqual(['✓ nova-api  3 → 4  start-first  gate 1.2 s'])
    expect(live()).toBe('')
    expect(view.take(ended(swap, { kind: 'done' }, { gap: 700 }), 4_000)[0]).toContain('gap 0.7 s')
  })

  it('settles what failed with its reason, what stays, and the end of its log', () => {
    const lines = view.take(
      ended(swap, {
        kind: 'failed',
        leaf: 'nova-api',
        message: 'exited with code 1',
        log: ['no such table', '\u001B[2Jboom'],
      }),
      4_000,
    )
    expect(lines.join('\n')).toMatchInlineSnapshot(`
      "✗ nova-api  3 → 4  exited with code 1; generation 3 stays  3.0 s
          │ no such table
          │ boom"
    `)
  })

  it('says nothing of an image that was fetched: the leaf goes on', () => {
    expect(view.take(ended(fetch, { kind: 'done' }), 4_000)).toEqual([])
  })

  it('says what a fault was and what to do about it', () => {
    const fault = {
      kind: 'fault',
      message: 'the registry does not answer',
      remedy: 'Look at it',
      replan: false,
    } as const
    expect(view.take(ended(swap, fault), 4_000)).toEqual([
      '✗ nova-api  the registry does not answer  3.0 s',
      '    → Look at it',
    ])
  })
})
