// `state:` written into a set's file: everything else stays, byte for byte where that is possible.

import { describe, expect, it } from 'vitest'
import { parse } from 'yaml'

import { withState } from '../../../src/daemon/set-state.ts'

describe('withState', () => {
  it.each([
    ['an empty file', '', 'state: stopped\n'],
    ['only a comment', '# about\n', '# about\nstate: stopped\n'],
    [
      'no state',
      '# about\n\ndepends_on:   [a,  b]  # why\n',
      '# about\n\ndepends_on:   [a,  b]  # why\nstate: stopped\n',
    ],
    ['no line end', 'version: "1"', 'version: "1"\nstate: stopped\n'],
    [
      'a state',
      "description: 'x'\nstate:   running   # for now\nupdate: {together: true}\n",
      "description: 'x'\nstate:   stopped   # for now\nupdate: {together: true}\n",
    ],
    ['a quoted state', 'state: "running"\n', 'state: "stopped"\n'],
    ['a state somewhere else', 'variables:\n  state: running\n', 'variables:\n  state: running\nstate: stopped\n'],
    ['a text at the end', 'description: |\n  long\n\n  text\n', 'description: |\n  long\n\n  text\nstate: stopped\n'],
    ['folded lines', 'a:\n    - x\n    -   y\n', 'a:\n    - x\n    -   y\nstate: stopped\n'],
  ])('%s', (_words, before, after) => {
    expect(withState(before, 'stopped')).toBe(after)
    expect(withState(after, 'stopped')).toBe(after)
  })

  it.each(['{version: "1", depends_on: [a]}\n', 'version: "1"\n...\n', '{}\n', '---\nversion: "1"\n'])(
    'also where a line cannot be added: %j',
    (before) => {
      const after = withState(before, 'stopped') ?? ''
      expect(parse(after)).toEqual({ ...parse(before), state: 'stopped' })
    },
  )

  it.each(['- a\n', 'text\n', 'a: [\n'])('is null for what is no mapping: %j', (text) => {
    expect(withState(text, 'stopped')).toBeNull()
  })
})
