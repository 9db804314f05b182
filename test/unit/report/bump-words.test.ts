// What a bump says of itself: to reviewers, and on a terminal.

import { describe, expect, it, test } from 'vitest'

import { bumpLines, bumpMessage, bumpSubject, imageStep, type LeafBump } from '../../../src/report/bump-words.ts'
import { createPalette } from '../../../src/report/palette.ts'

const DIGEST = `sha256:${'0123456789ab'.repeat(6).slice(0, 64)}`

function bump(leaf: string, from: number | null, to: number, changes: LeafBump['changes'] = []): LeafBump {
  return { leaf, file: `${leaf}.yaml`, from, to, digest: 'd'.repeat(64), changes }
}
const image = (from: string, to: string) => ({ field: 'image', from, to })

describe('bumpMessage', () => {
  it('lists shared values first, then each leaf, its image before its other fields', () => {
    const edit = { file: 'web/set.yaml', path: ['version'], from: '1.4', to: '1.5', leaves: [], set: 'web' }
    const own = { ...edit, file: 'web/api.yaml', path: ['image'], set: null }
    const leaves = [
      bump('api', 8, 9, [{ field: 'environment.A', from: null, to: 'x' }, image('x/api:1.4', 'x/api:1.5')]),
      bump('page', 2, 3, [{ field: 'files./etc/page.conf', from: 'a', to: 'b' }]),
      bump('new', null, 1),
    ]
    expect(bumpMessage('Bump web to 1.5', { leaves, edits: [edit, own] })).toBe(
      [
        'Bump web to 1.5',
        '',
        '- web/set.yaml: version 1.4 → 1.5',
        '- api 8 → 9: x/api:1.4 → :1.5, environment.A added',
        '- page 2 → 3: /etc/page.conf changed',
        '- new 1: the next free number',
      ].join('\n'),
    )
  })

  it('counts what would make it too long', () => {
    const leaves = Array.from({ length: 130 }, (_, index) => bump(`leaf-${index}`, 1, 2))
    const lines = bumpMessage('Bump 130 leaves', { leaves, edits: [] }).split('\n')
    expect(lines).toHaveLength(103)
    expect(lines.at(-1)).toBe('- and 30 more')
    const changes = Array.from({ length: 9 }, (_, index) => ({ field: `f${index}`, from: 'a', to: 'b' }))
    expect(bumpMessage('x', { leaves: [bump('a', 1, 2, changes)], edits: [] })).toMatch(/f5 a → b, 3 more$/)
  })

  it('is only the subject where nothing is to be listed', () => {
    expect(bumpMessage('Bump web', { leaves: [], edits: [] })).toBe('Bump web')
  })

  it('leaves long values and values of several lines out', () => {
    const changes = [
      { field: 'command', from: 'a'.repeat(40), to: 'b'.repeat(40) },
      { field: 'environment.A', from: 'a\nb', to: 'c' },
    ]
    expect(bumpMessage('x', { leaves: [bump('a', 1, 2, changes)], edits: [] })).toContain(
      '- a 1 → 2: command changed, environment.A changed',
    )
  })
})

test.each([
  [['web'], '1.5', 'Bump web to 1.5'],
  [['a', 'b'], '1.5', 'Bump a and b to 1.5'],
  [['a', 'b', 'c'], null, 'Bump a, b and c'],
  [['a', 'b', 'c', 'd'], null, 'Bump 4 leaves'],
])('%j to %s: %s', (names, to, subject) => {
  expect(bumpSubject(names, to)).toBe(subject)
})

test.each([
  ['quay.io/x/web:1.4', 'quay.io/x/web:1.5', 'quay.io/x/web:1.4 → :1.5'],
  ['x/web:1.4', 'x/web:1.4@' + DIGEST, 'x/web:1.4 → :1.4@sha256:0123456789ab'],
  ['x/web:1@' + DIGEST, 'x/web:2', 'x/web:1@sha256:0123456789ab → :2'],
  ['x/web:1', 'y/web:1', 'x/web:1 → y/web:1'],
  ['x/web:1', 'x/web', 'x/web:1 → x/web'],
])('%s to %s', (from, to, words) => {
  expect(imageStep(from, to)).toBe(words)
})

test('on a terminal, with control characters taken out', () => {
  const leaves = [bump('api', 8, 9, [image('x/api:1', 'x/api:2')]), bump('page', 3, 3, [])]
  const remarks = ['look \u001B[31mhere']
  expect(bumpLines({ leaves, edits: [], remarks }, createPalette(false))).toEqual([
    '~ api   8 → 9    x/api:1 → :2',
    '~ page  3 stays  the comment with its digest',
    '! look here',
  ])
})
