// Random YAML texts as people write them: blocks and braces, any indentation, quotes, comments, blank lines, both line
// ends. Each comes with the paths of its scalars and of its mappings.

import fc from 'fast-check'

type Path = readonly (string | number)[]

export interface YamlText {
  readonly text: string
  /** Paths of scalars that stand in one line. */
  readonly scalars: readonly Path[]
  readonly mappings: readonly Path[]
}

type Value =
  | { readonly kind: 'scalar'; readonly form: string; readonly comment: string }
  | { readonly kind: 'block'; readonly entries: readonly Entry[]; readonly indent: number }
  | { readonly kind: 'list'; readonly items: readonly Value[]; readonly comment: string }
  | { readonly kind: 'braces'; readonly entries: readonly Entry[]; readonly comment: string }

interface Entry {
  readonly key: string
  readonly value: Value
  /** Lines above: comments and empty ones. */
  readonly above: readonly string[]
}

const KEYS = ['a', 'b', 'image', 'environment', 'kind', 'x-y', '"q u"', 'version']
const FORMS = [
  'x',
  'web:1.4',
  '8',
  '2025.1',
  '2025.10',
  'true',
  '"in quotes"',
  "'it''s'",
  '""',
  'a b c',
  '-1',
  '/x',
  '"# no"',
]

export function yamlText(): fc.Arbitrary<YamlText> {
  const { block } = fc.letrec<{ value: Value; block: Value; list: Value; braces: Value; scalar: Value; flat: Value }>(
    (tie) => ({
      value: fc.oneof(
        { depthSize: 'small', withCrossShrink: true },
        tie('scalar'),
        tie('block'),
        tie('list'),
        tie('braces'),
      ),
      scalar: fc.record({ kind: fc.constant('scalar' as const), form: fc.constantFrom(...FORMS), comment: comment() }),
      block: fc.record({
        kind: fc.constant('block' as const),
        entries: entries(tie('value'), 1),
        indent: fc.constantFrom(2, 2, 3, 4),
      }),
      list: fc.record({
        kind: fc.constant('list' as const),
        items: fc.array(fc.oneof(tie('scalar'), tie('block')), { minLength: 1, maxLength: 3 }),
        comment: comment(),
      }),
      flat: fc.oneof({ depthSize: 'small' }, tie('scalar'), tie('braces')),
      braces: fc.record({ kind: fc.constant('braces' as const), entries: entries(tie('flat'), 0), comment: comment() }),
    }),
  )
  return fc
    .record({
      root: block,
      head: fc.constantFrom('', '# about this file\n\n', '---\n'),
      tail: fc.constantFrom('', '\n# the end\n', '\n\n'),
      windows: fc.boolean(),
      mark: fc.boolean(),
      ended: fc.boolean(),
    })
    .map(({ root, head, tail, windows, mark, ended }) => {
      const scalars: Path[] = []
      const mappings: Path[] = []
      const lines = blockLines(root, '', [], scalars, mappings)
      const body = `${head}${lines.join('\n')}\n${tail}`
      const cut = ended ? body : body.replace(/\n+$/, '')
      const text = `${mark ? '\uFEFF' : ''}${windows ? cut.replaceAll('\n', '\r\n') : cut}`
      return { text, scalars, mappings }
    })
}

function comment(): fc.Arbitrary<string> {
  return fc.constantFrom('', '', '', ' # why', '  #x', ' # 3fa91c', ' # a: b')
}

function entries(value: fc.Arbitrary<Value>, minLength: number): fc.Arbitrary<Entry[]> {
  const above = fc.array(fc.constantFrom('', '# a comment', '#  - x: y'), { maxLength: 2 })
  const entry = fc.record({ key: fc.constantFrom(...KEYS), value, above })
  return fc.uniqueArray(entry, { minLength, maxLength: 4, selector: ({ key }) => key })
}

function blockLines(value: Value, indent: string, path: Path, scalars: Path[], mappings: Path[]): string[] {
  if (value.kind !== 'block') return []
  mappings.push(path)
  return value.entries.flatMap(({ key, value: inner, above }) => {
    const at = [...path, key.replaceAll('"', '')]
    const comments = above.map((line) => (line === '' ? '' : indent + line))
    return [...comments, ...entryLines(`${indent}${key}:`, inner, indent, value.indent, at, scalars, mappings)]
  })
}

function entryLines(
  head: string,
  value: Value,
  indent: string,
  step: number,
  path: Path,
  scalars: Path[],
  mappings: Path[],
): string[] {
  switch (value.kind) {
    case 'scalar':
      scalars.push(path)
      return [`${head} ${value.form}${value.comment}`]
    case 'braces':
      return [`${head} ${braces(value.entries, path, scalars, mappings)}${value.comment}`]
    case 'block':
      return [head, ...blockLines(value, indent + ' '.repeat(step), path, scalars, mappings)]
    case 'list':
      return [
        `${head}${value.comment}`,
        ...value.items.flatMap((item, index) => {
          const at = [...path, index]
          if (item.kind === 'scalar') {
            scalars.push(at)
            return [`${indent}  - ${item.form}${item.comment}`]
          }
          const [first = '', ...rest] = blockLines(withoutFirstComments(item), `${indent}    `, at, scalars, mappings)
          return [`${indent}  - ${first.trimStart()}`, ...rest]
        }),
      ]
  }
}

/** Nothing may stand between the dash and the first key. */
function withoutFirstComments(value: Value): Value {
  if (value.kind !== 'block') return value
  return { ...value, entries: value.entries.map((entry, index) => (index === 0 ? { ...entry, above: [] } : entry)) }
}

function braces(list: readonly Entry[], path: Path, scalars: Path[], mappings: Path[]): string {
  mappings.push(path)
  const parts = list.map(({ key, value }) => {
    const at = [...path, key.replaceAll('"', '')]
    if (value.kind === 'braces') return `${key}: ${braces(value.entries, at, scalars, mappings)}`
    scalars.push(at)
    return `${key}: ${value.kind === 'scalar' ? value.form : '1'}`
  })
  return `{${parts.join(', ')}}`
}
