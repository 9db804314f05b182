import { describe, expect, it } from 'vitest'

import { mergeNotes, type NoteEntry, noteWith, parseNote, renderNote } from '../../../src/repository/note-text.ts'

function entry(host: string, at: number, words = `deployed (${at})`): NoteEntry {
  const name = `shop on ${host}`
  return { name, at, words: `${name}: ${words}`, data: JSON.stringify({ format: 1, host, deployment: 'shop', at }) }
}

describe('the text of a note', () => {
  it('has words first, by name, and then a line of JSON for each', () => {
    const text = noteWith('', [entry('beta', 2), entry('alpha', 1)])
    expect(text).toBe(
      [
        'shop on alpha: deployed (1)',
        '',
        'shop on beta: deployed (2)',
        '',
        '{"format":1,"host":"alpha","deployment":"shop","at":1}',
        '{"format":1,"host":"beta","deployment":"shop","at":2}',
        '',
      ].join('\n'),
    )
    expect(renderNote(parseNote(text))).toBe(text)
  })

  it('lets an entry take the place of an older one of its name, and of no newer one', () => {
    const text = noteWith('', [entry('alpha', 5)])
    expect(parseNote(noteWith(text, [entry('alpha', 9, 'failed')])).entries).toEqual([entry('alpha', 9, 'failed')])
    expect(noteWith(text, [entry('alpha', 3, 'older')])).toBe(text)
  })

  it('keeps what somebody else wrote, wherever it stands, once', () => {
    const text = noteWith('Reviewed by Ann.\n\nShe liked it:\n  a lot\n', [entry('alpha', 1)])
    expect(text).toContain('Reviewed by Ann.\n\nShe liked it:\n  a lot\n')
    const more = mergeNotes(`${text}\nAnd Bob.\n`, noteWith(text, [entry('beta', 1)]))
    expect(more.match(/Reviewed by Ann/g)).toHaveLength(1)
    expect(more).toContain('And Bob.')
    expect(parseNote(more).entries.map(({ name }) => name)).toEqual(['shop on alpha', 'shop on beta'])
  })

  it('keeps lines of JSON that are not its own, and cut ones', () => {
    const odd = '{"format":1,"host":"al\n{"other": true}\n'
    const text = noteWith(odd, [entry('alpha', 1)])
    expect(text).toContain('{"format":1,"host":"al\n{"other": true}')
    expect(parseNote(text).entries).toHaveLength(1)
  })

  it('reads two notes that native Git put together, as one with the newer entries', () => {
    const [one, other] = [
      noteWith('', [entry('alpha', 1)]),
      noteWith('', [entry('alpha', 2, 'failed'), entry('beta', 1)]),
    ]
    const both = noteWith(`${one}\n${other}`, [])
    expect(both).toBe(other)
  })

  it('comes to the same whoever merges', () => {
    const one = noteWith('', [entry('alpha', 3), entry('gamma', 1)])
    const other = noteWith('', [entry('alpha', 1), entry('beta', 1)])
    expect(mergeNotes(one, other)).toBe(mergeNotes(other, one))
    expect(mergeNotes(mergeNotes(one, other), other)).toBe(mergeNotes(one, other))
  })
})
