// One value set in a YAML text: everything else stays, to the byte.

import fc from 'fast-check'
import { describe, expect, it, test } from 'vitest'
import { parse } from 'yaml'

import { commentsIn, setInYaml, valueInYaml } from '../../../src/desired/yaml-edit.ts'
import { readYaml } from '../../../src/desired/yaml-document.ts'
import { snapshotOf } from './snapshot-of.ts'
import { yamlText } from './yaml-texts.ts'

describe('a value that is there', () => {
  it.each([
    ['plain', 'image: web:1.4   # why\nx: 1\n', ['image'], 'web:1.5', 'image: web:1.5   # why\nx: 1\n'],
    ['in double quotes', 'image: "web:1.4" # why\n', ['image'], 'web:1.5', 'image: "web:1.5" # why\n'],
    ['in single quotes', "image: 'web:1.4'\n", ['image'], "web's", "image: 'web''s'\n"],
    ['a number', 'generation:   8 # 3fa91c\n', ['generation'], 9, 'generation:   9 # 3fa91c\n'],
    ['a version that looks like a number', 'version: 2025.1\n', ['version'], '2025.2', 'version: 2025.2\n'],
    ['with a zero at its end', 'version: 2025.1\n', ['version'], '2025.10', 'version: 2025.10\n'],
    ['after a zero at its end', 'version: 2025.10\n', ['version'], '2025.11', 'version: 2025.11\n'],
    ['a text that becomes like a number', 'version: v1\n', ['version'], '2', 'version: "2"\n'],
    ['a text that is like a word of YAML', 'version: a\n', ['version'], 'true', 'version: "true"\n'],
    ['a text with a comment sign', 'version: a\n', ['version'], 'a #b', 'version: "a #b"\n'],
    ['nothing', 'version:\nx: 1\n', ['version'], 'a', 'version: a\nx: 1\n'],
    ['nothing with a comment', 'version: # soon\nx: 1\n', ['version'], 'a', 'version: a # soon\nx: 1\n'],
    ['nothing at the end', 'version:', ['version'], 'a', 'version: a'],
    ['a word for nothing', 'version: ~ # soon\n', ['version'], 'a', 'version: a # soon\n'],
    ['deep', 'a:\n    b:\n    - c:   1\n', ['a', 'b', 0, 'c'], 2, 'a:\n    b:\n    - c:   2\n'],
    ['in braces', '{a: 1, b: {c: x}} # y\n', ['b', 'c'], 'z', '{a: 1, b: {c: z}} # y\n'],
    ['in braces with a sign of theirs', '{b: {c: x}}\n', ['b', 'c'], 'z, y', '{b: {c: "z, y"}}\n'],
    ['in a list', 'a: [x, y, z]\n', ['a', 1], 'w', 'a: [x, w, z]\n'],
    ['over two lines', 'a: one\n  two # c\nb: 1\n', ['a'], 'x', 'a: x # c\nb: 1\n'],
    ['a block of text', 'a: |- # c\n  one\n  two\n\n# d\nb: 1\n', ['a'], 'x', 'a: x # c\n\n# d\nb: 1\n'],
    ['a block of text at the end', 'a: >\n  one\n  two', ['a'], 'x', 'a: x'],
    ['behind an anchor', 'a: &n x\nb: 1\n', ['a'], 'y', 'a: &n y\nb: 1\n'],
    ['an alias', 'a: &n x\nb: *n\n', ['b'], 'y', 'a: &n x\nb: y\n'],
    ['with line ends of Windows', 'a: x # c\r\nb: 1\r\n', ['a'], 'y', 'a: y # c\r\nb: 1\r\n'],
    ['a block with line ends of Windows', 'a: |\r\n  x\r\nb: 1\r\n', ['a'], 'y', 'a: y\r\nb: 1\r\n'],
    ['behind a byte order mark', '\uFEFFa: x\n', ['a'], 'y', '\uFEFFa: y\n'],
    ['in a document with marks', '---\na: x\n...\n', ['a'], 'y', '---\na: y\n...\n'],
    ['one that is so already', 'a:   "x"  # c\n', ['a'], 'x', 'a:   "x"  # c\n'],
    ['a text of several lines', 'a: x\n', ['a'], 'y\nz', 'a: "y\\nz"\n'],
    ['under a key in quotes', '"a b": x\n', ['a b'], 'y', '"a b": y\n'],
  ])('%s', (_words, before, path, value, after) => {
    expect(setInYaml(before, path, value)).toBe(after)
  })

  it('is left alone where an alias shares it', () => {
    expect(setInYaml('a: &n x\nb: *n\n', ['a'], 'y')).toBeNull()
    expect(setInYaml('base: &b {v: 1}\nb: *b\n', ['b', 'v'], 2)).toBeNull()
  })

  it('is left alone where something else than a mapping is in the way', () => {
    expect(setInYaml('a: x\n', ['a', 'b'], 'y')).toBeNull()
    expect(setInYaml('- x\n', ['a'], 'y')).toBeNull()
    expect(setInYaml('a: [x]\n', ['a', 3], 'y')).toBeNull()
  })

  it.each(['a: [\n', 'a: x\na: y\n', 'a: x\n---\nb: y\n', 'a: *gone\n'])('%j is no text to edit', (text) => {
    expect(setInYaml(text, ['a'], 'z')).toBeNull()
  })
})

describe('a key that is missing', () => {
  it.each([
    ['in nothing', '', ['a'], 1, 'a: 1\n'],
    ['under a comment', '# about\n', ['a'], 1, '# about\na: 1\n'],
    ['at the end', 'x: 1 # c\n\n# more\n', ['a'], 1, 'x: 1 # c\na: 1\n\n# more\n'],
    ['without a line end', 'x: 1', ['a'], 1, 'x: 1\na: 1\n'],
    ['behind a list', 'x:\n  - 1\n  - b: 2 # c\n', ['a'], 1, 'x:\n  - 1\n  - b: 2 # c\na: 1\n'],
    ['behind a block of text', 'x: |\n  long\n\n  text\n', ['a'], 1, 'x: |\n  long\n\n  text\na: 1\n'],
    ['a generation, before the image', '# web\nimage: web\n', ['generation'], 1, '# web\ngeneration: 1\nimage: web\n'],
    [
      'a generation, behind the kind',
      'kind: job\nimage: web\n',
      ['generation'],
      1,
      'kind: job\ngeneration: 1\nimage: web\n',
    ],
    [
      'an image, behind the generation',
      'generation: 1 # c\nx: 1\n',
      ['image'],
      'w',
      'generation: 1 # c\nimage: w\nx: 1\n',
    ],
    ['a version, as a text', 'description: d\nx: 1\n', ['version'], '1.0', 'description: d\nversion: "1.0"\nx: 1\n'],
    ['deeper', 'a:\n    b: 1\nc: 1\n', ['a', 'd'], 2, 'a:\n    b: 1\n    d: 2\nc: 1\n'],
    ['in an item of a list', 'a:\n  - b: 1\n', ['a', 0, 'c'], 2, 'a:\n  - b: 1\n    c: 2\n'],
    ['with what is around it', 'x: 1\n', ['a', 'b', 'c'], 2, 'x: 1\na:\n  b:\n    c: 2\n'],
    ['in a mapping that is announced', 'a: # c\nx: 1\n', ['a', 'b'], 2, 'a: # c\n  b: 2\nx: 1\n'],
    ['in braces', '{x: 1}\n', ['a'], 2, '{x: 1, a: 2}\n'],
    ['in empty braces', 'x: {} # c\n', ['x', 'a'], 2, 'x: {a: 2} # c\n'],
    ['deeper in braces', '{x: 1}\n', ['a', 'b'], 2, '{x: 1, a: {b: 2}}\n'],
    [
      'a generation in braces',
      'ingress: {image: h}\n',
      ['ingress', 'generation'],
      1,
      'ingress: {generation: 1, image: h}\n',
    ],
    ['with line ends of Windows', 'x: 1\r\n', ['a'], 2, 'x: 1\r\na: 2\r\n'],
    ['under a key that needs quotes', 'x: 1\n', ['a b'], 2, 'x: 1\n"a b": 2\n'],
    ['over a merged one', 'b: &b {v: 1}\nc:\n  <<: *b\n', ['c', 'v'], 2, 'b: &b {v: 1}\nc:\n  <<: *b\n  v: 2\n'],
    ['before the end of the document', 'x: 1\n...\n', ['a'], 2, 'x: 1\na: 2\n...\n'],
  ])('%s', (_words, before, path, value, after) => {
    expect(setInYaml(before, path, value)).toBe(after)
  })
})

describe('the comment behind a value', () => {
  it.each([
    ['is added', 'generation: 8\n', 'generation: 9 # 3fa91c2\n'],
    ['follows another digest', 'generation: 8   #abcdef0\n', 'generation: 9   #3fa91c2\n'],
    ['leaves words alone', 'generation: 8 # for CVE-1\n', 'generation: 9 # for CVE-1\n'],
    ['leaves words alone that begin with a digest', 'generation: 8 # abcdef0 x\n', 'generation: 9 # abcdef0 x\n'],
    ['stands behind braces', '{x: 1, generation: 8}\n', '{x: 1, generation: 9} # 3fa91c2\n'],
    ['stands inside braces over lines', '{generation: 8,\n x: 1}\n', '{generation: 9, # 3fa91c2\n x: 1}\n'],
    ['is left out where more follows', '{generation: 8, x: 1}\n', '{generation: 9, x: 1}\n'],
    ['with line ends of Windows', 'generation: 8\r\nx: 1\r\n', 'generation: 9 # 3fa91c2\r\nx: 1\r\n'],
    ['at the end of the text', 'generation: 8', 'generation: 9 # 3fa91c2'],
  ])('%s', (_words, before, after) => {
    expect(setInYaml(before, ['generation'], 9, { comment: '3fa91c2' })).toBe(after)
  })

  it('is taken away', () => {
    expect(setInYaml('generation: 8  # abcdef0\n', ['generation'], 8, { comment: null })).toBe('generation: 8\n')
    expect(setInYaml('generation: 8 # words\n', ['generation'], 9, { comment: null })).toBe('generation: 9 # words\n')
  })
})

describe('in any text', { timeout: 60_000 }, () => {
  test('only the value changes, and setting it again changes nothing', () => {
    fc.assert(
      fc.property(yamlText(), fc.nat(), wished(), ({ text, scalars }, at, value) => {
        const path = scalars[at % scalars.length]
        fc.pre(path !== undefined)
        const after = setInYaml(text, path, value)
        if (after === null) throw new Error(`not set: ${path.join('.')}`)
        expect(without(after, path)).toEqual(without(text, path))
        expect(String(valueInYaml(after, path))).toBe(String(value))
        expect(commentsIn(after)).toEqual(commentsIn(text))
        expect(linesThatDiffer(text, after)).toBeLessThanOrEqual(1)
        expect(setInYaml(after, path, value)).toBe(after)
      }),
      { numRuns: 200 },
    )
  })

  test('a key that is missing is added in one piece, and all else stays to the byte', () => {
    fc.assert(
      fc.property(
        yamlText(),
        fc.nat(),
        fc.constantFrom('generation', 'image', 'zz'),
        wished(),
        (made, at, key, value) => {
          const { text, mappings } = made
          const parent = mappings[at % mappings.length] ?? []
          const path = [...parent, key]
          fc.pre(valueInYaml(text, path) === undefined)
          const after = setInYaml(text, path, value)
          if (after === null) throw new Error(`not added: ${path.join('.')}`)
          expect(valueInYaml(after, path)).toBe(value)
          expect(without(after, path)).toEqual(without(text, path))
          expect(commentsIn(after)).toEqual(commentsIn(text))
          expect(isInsertion(text, after)).toBe(true)
        },
      ),
      { numRuns: 200 },
    )
  })

  test('a digest behind a generation is what a reader finds there, and goes without a trace', () => {
    fc.assert(
      fc.property(yamlText(), fc.nat({ max: 1000 }), ({ text }, generation) => {
        const plain = setInYaml(text, ['generation'], generation)
        if (plain === null) throw new Error('not added')
        const first = setInYaml(plain, ['generation'], generation, { comment: '3fa91c2' }) ?? ''
        expect(generationIn(first)).toMatchObject({ digestComment: '3fa91c2' })
        const second = setInYaml(first, ['generation'], generation + 1, { comment: 'abcdef0' }) ?? ''
        expect(generationIn(second)).toMatchObject({ digestComment: 'abcdef0' })
        expect(setInYaml(second, ['generation'], generation, { comment: null })).toBe(plain)
      }),
      { numRuns: 100 },
    )
  })

  test('whatever the text and the path, the rest keeps its meaning or nothing is done', () => {
    const path = fc.array(fc.oneof(fc.constantFrom('a', 'b', 'generation'), fc.nat(2)), { minLength: 1, maxLength: 3 })
    const piece = fc.constantFrom(
      'a',
      'b',
      ': ',
      '\n',
      '  ',
      '- ',
      '{',
      '}',
      '[',
      ']',
      ', ',
      '# x',
      '&n ',
      '*n',
      '|',
      '"',
      "'",
      '<<: ',
      '1',
      '~',
      '\r\n',
      '? ',
      '---',
      '!!str ',
    )
    const anything = fc.array(piece, { maxLength: 14 }).map((parts) => parts.join(''))
    fc.assert(
      fc.property(anything, path, wished(), (text, where, value) => {
        const after = setInYaml(text, where, value)
        if (after === null) return
        expect(String(valueInYaml(after, where))).toBe(String(value))
        expect(without(after, where)).toEqual(without(text, where))
      }),
      { numRuns: 1500 },
    )
  })
})

function generationIn(text: string) {
  const entry = snapshotOf({ 'a.yaml': text }).entries.get('a.yaml')
  return entry === undefined ? null : readYaml(entry).generation
}

function wished(): fc.Arbitrary<string | number | boolean> {
  return fc.oneof(
    fc.nat(10_000),
    fc.boolean(),
    fc.constantFrom(
      'web:1.4',
      '1.0',
      '2025.2',
      'true',
      '~',
      '# x',
      'a: b',
      "it's",
      '- x',
      '*x',
      '',
      'a\nb',
      '{',
      ' x ',
    ),
    fc.string({ maxLength: 12 }),
  )
}

/** The value without what is at `path`; a mapping that is left empty by that counts as nothing. */
function without(text: string, path: readonly (string | number)[]): unknown {
  const value: unknown =
    parse(text.replace(/^\uFEFF/, ''), { merge: true, logLevel: 'silent', uniqueKeys: false }) ?? {}
  const copy: unknown = JSON.parse(JSON.stringify(value))
  const holders: [Record<string, unknown>, string][] = []
  let at = copy
  for (const step of path) {
    if (typeof at !== 'object' || at === null) break
    holders.push([at as Record<string, unknown>, String(step)])
    at = (at as Record<string, unknown>)[String(step)]
  }
  for (const [index, [holder, step]] of [...holders.entries()].toReversed()) {
    const inner = holder[step]
    const isEmpty =
      inner == null || (typeof inner === 'object' && !Array.isArray(inner) && Object.keys(inner).length === 0)
    if (index === path.length - 1 || isEmpty) {
      if (Array.isArray(holder)) holder[Number(step)] = 'gone'
      else delete holder[step]
    }
  }
  return copy
}

function linesOf(text: string): string[] {
  return text.replace(/^\uFEFF/, '').split(/\r?\n/)
}

function linesThatDiffer(before: string, after: string): number {
  const [a, b] = [linesOf(before), linesOf(after)]
  if (a.length !== b.length) return Infinity
  return a.filter((line, index) => line !== b[index]).length
}

/** Whether `after` is `before` with one piece put in. */
function isInsertion(before: string, after: string): boolean {
  let head = 0
  while (head < before.length && before[head] === after[head]) head++
  let tail = 0
  while (tail < before.length - head && before.at(-1 - tail) === after.at(-1 - tail)) tail++
  return head + tail === before.length
}
