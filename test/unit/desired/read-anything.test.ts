// Whatever stands in the files, reading gives a tree or problems, and never throws.

import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { stringify } from 'yaml'

import { createReader } from '../../../src/desired/read.ts'
import { servedNames } from '../../../src/desired/schema/service-keys.ts'
import { snapshotOf } from './snapshot-of.ts'

const DEPLOYMENT = 'name: shop\nformat: 1\nhost_variables: {HOST: {example: "1"}}\nvariables: {V: v}\n'

function check(files: Record<string, string>): void {
  const reader = createReader()
  const snapshot = snapshotOf(files)
  const { tree, problems } = reader.read(snapshot, { host: null })
  expect(tree === null).toBe(problems.some((problem) => problem.severity === 'unreadable'))
  expect(reader.read(snapshot, { host: null })).toEqual({ tree, problems })
  for (const { line, column, message } of problems) {
    expect((line === null) === (column === null)).toBe(true)
    expect(message).not.toBe('')
  }
}

const sign = fc.constantFrom(
  'a',
  ': ',
  '\n',
  '  ',
  '- ',
  '[',
  ']',
  '{',
  '}',
  '"',
  "'",
  '&a ',
  '*a',
  '<<: ',
  '#',
  '|',
  '>',
  '!',
  '%',
  '\t',
  '?',
  '${V}',
  '${',
  '$',
  'image',
  'generation',
  '1',
  ',',
  '---',
)
const messy = fc.array(sign, { maxLength: 40 }).map((parts) => parts.join(''))
const word = fc.constantFrom(
  'a',
  '1',
  'host',
  '${V}',
  '${HOST}',
  '${NO}',
  'a:b',
  '/a:/b',
  '80:80',
  'A=b',
  'service:ab',
  '5s',
  '1g',
  '',
)
const value = fc.letrec((tie) => ({
  value: fc.oneof(
    { maxDepth: 3 },
    word,
    fc.boolean(),
    fc.constant(null),
    fc.integer(),
    fc.array(tie('value'), { maxLength: 3 }),
    fc.dictionary(fc.constantFrom('a', 'type', 'source', 'target', 'test', 'driver', 'condition', 'ab'), tie('value'), {
      maxKeys: 3,
    }),
  ),
})).value

describe('reading', () => {
  it('any text as a leaf, a set or the deployment', () => {
    fc.assert(
      fc.property(messy, messy, (first, second) => {
        check({ 'deployment.yaml': DEPLOYMENT, 'db/set.yaml': first, 'db/ab.yaml': second })
        check({ 'deployment.yaml': `${DEPLOYMENT}${first}`, 'ab.yaml': `generation: 1\nimage: x\n${second}` })
      }),
      { numRuns: 200 },
    )
  })

  it('any value under any key', () => {
    const keys = fc.dictionary(fc.constantFrom(...servedNames), value, { minKeys: 1, maxKeys: 3 })
    fc.assert(
      fc.property(keys, keys, (own, defaults) => {
        const leaf = stringify({ generation: 1, image: 'x', ...own })
        check({
          'deployment.yaml': DEPLOYMENT,
          'db/set.yaml': stringify({ defaults }),
          'db/ab.yaml': leaf,
          'db/cd.yaml': 'generation: 1\nimage: x\n',
        })
      }),
      { numRuns: 300 },
    )
  })
})
