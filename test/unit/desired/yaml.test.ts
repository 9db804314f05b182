// YAML that means harm, and YAML's own traps.

import { describe, expect, it } from 'vitest'

import { createLocate, readYaml } from '../../../src/desired/yaml-document.ts'
import { snapshotOf } from './snapshot-of.ts'

function read(text: string) {
  const entry = snapshotOf({ 'ab.yaml': text }).entries.get('ab.yaml')
  if (entry === undefined) throw new Error('no entry')
  return {
    ...readYaml(entry),
    place: (path: (string | number)[], at: 'key' | 'value') => createLocate()(entry, path, at),
  }
}

const messages = (text: string): string[] => read(text).problems.map((problem) => problem.message)

describe('hostile YAML', () => {
  it('a bomb of aliases', () => {
    const lines = ['a0: &a0 [x, x, x, x, x, x, x, x, x, x]']
    for (let level = 1; level < 10; level++)
      lines.push(
        `a${level}: &a${level} [${Array(9)
          .fill(`*a${level - 1}`)
          .join(', ')}]`,
      )
    const start = performance.now()
    expect(messages(lines.join('\n'))).toEqual([expect.stringMatching(/more than (50000 values|100 aliases)/)])
    expect(performance.now() - start).toBeLessThan(2000)
  })

  it('few aliases of a large value', () => {
    const text = `a: &a [${Array(9000).fill('x').join(',')}]\nb: [*a, *a, *a, *a, *a, *a]\n`
    expect(messages(text)).toEqual([expect.stringContaining('20000 values')])
  })

  it('a value that contains itself', () => {
    expect(messages('a: &a\n  b: *a\n')).toEqual([expect.stringContaining('contains itself')])
  })

  it('an alias of nothing', () => {
    expect(messages('a: *b\n')).toHaveLength(1)
  })

  it.each([60, 5000, 100_000])('%i brackets', (depth) => {
    const start = performance.now()
    expect(messages(`a: ${'['.repeat(depth)}${']'.repeat(depth)}`)).toHaveLength(1)
    expect(performance.now() - start).toBeLessThan(5000)
  })

  it('deep block nesting', () => {
    const text = Array.from({ length: 200 }, (_, depth) => `${' '.repeat(depth)}a:`).join('\n')
    expect(messages(text)).toEqual([expect.stringContaining('nested')])
  })

  it('many keys, in linear time', () => {
    const text = Array.from({ length: 9_000 }, (_, index) => `k${index}: 1`).join('\n')
    const start = performance.now()
    expect(messages(text)).toEqual([])
    expect(performance.now() - start).toBeLessThan(5000)
  })

  it('a file above the limit for YAML', () => {
    expect(messages(`a: ${'x'.repeat(300_000)}`)).toEqual([expect.stringContaining('bytes')])
  })

  it.each([
    '__proto__: {polluted: 1}',
    'environment: {__proto__: {polluted: 1}}',
    'a: {<<: {__proto__: {polluted: 1}}}',
  ])('%s', (text) => {
    expect(messages(text)).toEqual(['a key may not be named __proto__'])
    expect('polluted' in {}).toBe(false)
  })

  it('constructor is a key like any other', () => {
    const { value } = read('constructor: x\ntoString: y\n')
    expect(value).toEqual({ constructor: 'x', toString: 'y' })
  })

  it.each(['? [a]\n: b', '? {a: b}\n: c', '? \n: c'])('the key %j', (text) => {
    expect(messages(text)).toEqual(['a key must be a plain text'])
  })

  it('an older YAML', () => {
    expect(messages('%YAML 1.1\n---\na: yes\n')).toEqual([expect.stringContaining('YAML 1.2')])
  })

  it('bytes that are no UTF-8, and NUL', () => {
    for (const bytes of [Uint8Array.from([0x61, 0xc3, 0x28]), Uint8Array.from([0x61, 0])]) {
      const entry = snapshotOf({ x: bytes }).entries.get('x')
      expect(entry && readYaml(entry).problems[0]?.message).toContain('UTF-8')
    }
  })
})

describe('values', () => {
  it.each([
    ['2025.10', '2025.10'],
    ['0440', '0440'],
    ['12', 12],
    ['1.5', 1.5],
    ['0x1F', 31],
    ['0o17', 15],
    ['99999999999999999999', '99999999999999999999'],
    ['yes', 'yes'],
    ['true', true],
    ['~', null],
    ['"12"', '12'],
    ['!!str 12', '12'],
    ['22:80', '22:80'],
    ['2024-01-01', '2024-01-01'],
  ])('%s is %j', (text, expected) => {
    expect(read(`a: ${text}`)).toMatchObject({ value: { a: expected }, problems: [] })
  })

  it('merge like Compose files do: own keys win, then the first', () => {
    const { value } = read('x: &x {a: 1, b: 1}\ny: &y {b: 2, c: 2}\nz: {<<: [*x, *y], a: 0}\n')
    expect(value).toMatchObject({ z: { a: 0, b: 1, c: 2 } })
  })
})

describe('places', () => {
  const text = '\uFEFF# c\r\na:\r\n  - b: one\r\n    c: &c {d: two}\r\ne: *c\r\nf: {<<: *c}\r\ng:\r\n'
  it.each([
    [['a', 0, 'b'], 'value', 3, 8, 'one'],
    [['a', 0, 'b'], 'key', 3, 5, 'b'],
    [['a', 0, 'c', 'd'], 'value', 4, 15, 'two'],
    [['e', 'd'], 'value', 4, 15, 'two'],
    [['f', 'd'], 'key', 4, 12, 'd'],
    [['g'], 'value', 7, 1, 'g'],
    [['a', 0, 'missing'], 'value', 3, 5, 'b: one'],
    [['nothing'], 'value', null, null, null],
  ] as const)('%j, its %s', (path, at, line, column, shown) => {
    expect(read(text).place([...path], at)).toEqual({ file: 'ab.yaml', line, column, text: shown })
  })

  it.each([
    ['generation: 8 # 3fa91c', '3fa91c'],
    ['generation: 8   #   3fa91cdeadbeef  ', '3fa91cdeadbeef'],
    ['generation: 8 # 3fa91', null],
    ['generation: 8 # 3fa91c by bob', null],
    ['generation: 8', null],
    ['generation: 8\n# 3fa91c', null],
  ])('%j', (line, expected) => {
    expect(read(`image: x\n${line}\n`).generation).toEqual({ line: 2, digestComment: expected })
  })
})
