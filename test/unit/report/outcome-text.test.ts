import { describe, expect, it } from 'vitest'

import type { LeafOutcome, OutcomeRecord } from '../../../src/report/outcome-record.ts'
import { outcomeEntry, outcomesIn } from '../../../src/report/outcome-text.ts'
import { noteWith, parseNote } from '../../../src/repository/note-text.ts'

const LEAF: LeafOutcome = {
  leaf: 'nova-api',
  result: 'replaced',
  from: 8,
  to: 9,
  order: 'start-first',
  gate: 3100,
  gap: 0,
  availability: { port: '0.0.0.0:8774', tried: 1203, lost: 0, longestPause: 12 },
  message: null,
}
const RECORD: OutcomeRecord = {
  format: 1,
  host: 'alpha',
  deployment: 'cloud',
  commit: '3f2a1bc'.padEnd(40, '0'),
  result: 'deployed',
  at: Date.UTC(2026, 10, 23, 0, 18, 5),
  milliseconds: 4210,
  leaves: [LEAF],
  problems: [],
}

describe('an outcome as words', () => {
  it('tells what changed and what it cost', () => {
    expect(outcomeEntry(RECORD).words).toBe(
      [
        'cloud on alpha: deployed in 4.2 s (2026-11-23 00:18:05 UTC)',
        '  nova-api 8 → 9  gate 3.1 s, no gap, 0 of 1,203 lost',
      ].join('\n'),
    )
  })

  it('tells why not', () => {
    const leaves: LeafOutcome[] = [
      { ...LEAF, result: 'failed', gate: null, gap: null, availability: null, message: 'it exited with code 1' },
      {
        ...LEAF,
        leaf: 'web',
        result: 'held',
        from: 1,
        to: 2,
        gate: null,
        gap: null,
        availability: null,
        message: 'depends on nova-api, which is held',
      },
      { ...LEAF, leaf: 'old', result: 'removed', from: 3, to: null, gate: null, gap: null, availability: null },
    ]
    const problems = ['web/web.yaml:3: a first\nand a second line']
    expect(outcomeEntry({ ...RECORD, result: 'failed', leaves, problems }).words.split('\n')).toEqual([
      'cloud on alpha: failed after 4.2 s (2026-11-23 00:18:05 UTC)',
      '  nova-api 8 → 9  failed: it exited with code 1',
      '  web 1 → 2  held: depends on nova-api, which is held',
      '  old 3  removed',
      '  web/web.yaml:3: a first and a second line',
    ])
  })

  it('says so where nothing had to change, and counts what is too much to list', () => {
    expect(outcomeEntry({ ...RECORD, leaves: [] }).words).toMatch(/deployed in 4.2 s, nothing had to change \(/)
    const many = Array.from({ length: 100 }, (_, number) => ({ ...LEAF, leaf: `leaf-${number}` }))
    const lines = outcomeEntry({ ...RECORD, leaves: many }).words.split('\n')
    expect(lines).toHaveLength(42)
    expect(lines.at(-1)).toBe('  and 60 more leaves')
  })
})

describe('an outcome in a note', () => {
  it('comes back as it was, with those of other hosts and deployments', () => {
    const other = { ...RECORD, host: 'beta', result: 'failed' } as const
    const third = { ...RECORD, deployment: 'tools' }
    const text = noteWith('By hand.\n', [RECORD, other, third].map(outcomeEntry))
    expect(outcomesIn(text)).toEqual([RECORD, other, third])
    expect(parseNote(text).rest).toBe('By hand.')
  })

  it('is passed over where it is of another format, cut, or no record', () => {
    const strange = [
      '{"format":2,"host":"a","deployment":"b","at":1}',
      '{"format":1,',
      '{}',
      'words',
      '{"format":1,"result":"deployed"}',
    ]
    expect(outcomesIn(strange.join('\n'))).toEqual([])
  })

  it('is read as far as it makes sense', () => {
    const found = {
      ...RECORD,
      leaves: [{ leaf: 'x', result: 'ran', gate: 'long' }, { leaf: 'y', result: 'exploded' }, 7],
    }
    expect(outcomesIn(JSON.stringify(found))[0]?.leaves).toEqual([
      {
        ...LEAF,
        leaf: 'x',
        result: 'ran',
        from: null,
        to: null,
        order: null,
        gate: null,
        gap: null,
        availability: null,
      },
    ])
  })
})
