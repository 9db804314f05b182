// YAML that was made to hurt: random texts and values, bombs, depths, sizes, odd signs and the names of methods.

import fc from 'fast-check'
import { expect } from 'vitest'

import { DEFAULT_READ_LIMITS } from '../../src/desired/read-limits.ts'
import { readYaml } from '../../src/desired/yaml-document.ts'
import { inputTable, runs } from './input-table.ts'
import { anything, yamlText } from './random-values.ts'
import { entryOf, judgeSafely, readSafely, snapshotOf, type Files } from './read-files.ts'

const { row } = inputTable('YAML files', { share: 0.4 })
const ROOT = 'name: site\nformat: 1\n'
const LEAF = 'generation: 1\nimage: nginx:1.27\n'

function read(files: Files, most?: number) {
  const answer = readSafely(snapshotOf({ 'deployment.yaml': ROOT, ...files }), most)
  judgeSafely(answer)
  return answer
}

/** The one problem there is, as it is told. */
function told(files: Files, most?: number): string {
  const { tree, problems, milliseconds } = read(files, most)
  expect(tree).toBeNull()
  expect(problems.length).toBeGreaterThan(0)
  const [problem] = problems
  return `${problem?.message ?? ''} (${Math.round(milliseconds)} ms)`
}

row('random bytes as a leaf', () => {
  const count = runs(100, 4_000)
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 400 }), (bytes) => void read({ 'web.yaml': bytes })),
    { numRuns: count },
  )
  return `${count} read`
})

row('random texts as each kind of file', () => {
  const count = runs(60, 2_000)
  fc.assert(
    fc.property(fc.string({ unit: 'binary', maxLength: 300 }), (text) => {
      read({ 'web.yaml': text })
      read({ 'deployment.yaml': text, 'web.yaml': LEAF })
      read({ 'a/set.yaml': text, 'a/web.yaml': LEAF })
    }),
    { numRuns: count },
  )
  return `${3 * count} read`
})

row('random YAML of all its signs', () => {
  const count = runs(100, 4_000)
  fc.assert(
    fc.property(yamlText, (text) => {
      read({ 'web.yaml': `${LEAF}${text}` })
      read({ 'web.yaml': text })
    }),
    { numRuns: count },
  )
  return `${2 * count} read`
})

row(
  'random values under every key of a leaf',
  () => {
    const count = runs(100, 4_000)
    fc.assert(
      fc.property(anything.leaf, (leaf) => void read({ 'web.yaml': JSON.stringify(leaf) })),
      { numRuns: count },
    )
    return `${count} read and judged`
  },
  900_000,
)

row(
  'random values under every key of a set and of the deployment',
  () => {
    const count = runs(60, 2_000)
    fc.assert(
      fc.property(anything.set, anything.deployment, (set, deployment) => {
        read({ 'a/set.yaml': JSON.stringify(set), 'a/web.yaml': LEAF })
        read({ 'deployment.yaml': JSON.stringify(deployment), 'web.yaml': LEAF })
      }),
      { numRuns: count },
    )
    return `${2 * count} read and judged`
  },
  900_000,
)

row('a bomb of aliases (ten levels of ten)', () => {
  const lines = ['a0: &a0 [x,x,x,x,x,x,x,x,x,x]']
  for (let level = 1; level < 10; level++) {
    lines.push(`a${level}: &a${level} [${Array.from({ length: 10 }, () => `*a${level - 1}`).join(',')}]`)
  }
  const said = told({ 'web.yaml': `${LEAF}${lines.join('\n')}\n` })
  expect(said).toMatch(/aliases|values/)
  return said
})

row('a bomb of merge keys', () => {
  const lines = ['a0: &a0 {k0: 1, l0: 2}']
  for (let level = 1; level < 60; level++) {
    lines.push(`a${level}: &a${level} {<<: [*a${level - 1}, *a${level - 1}], k${level}: 1}`)
  }
  return told({ 'web.yaml': `${LEAF}${lines.join('\n')}\n` })
})

row('an alias that contains itself', () => told({ 'web.yaml': `${LEAF}a: &a [*a]\n` }))
row('30,000 anchors', () =>
  told({ 'web.yaml': `${LEAF}${Array.from({ length: 14_000 }, (_, at) => `a${at}: &b${at} 1`).join('\n')}\n` }),
)

for (const [what, text] of [
  ['20,000 open brackets', `command: ${'['.repeat(20_000)}`],
  ['20,000 open braces', `labels: ${'{a: '.repeat(20_000)}`],
  ['100,000 nested sequences in one line', '- '.repeat(100_000)],
  ['block mappings 2,000 deep', Array.from({ length: 600 }, (_, at) => `${' '.repeat(at)}a:`).join('\n')],
  ['100,000 question marks', '? '.repeat(100_000)],
  ['100,000 tags', '!a '.repeat(60_000)],
  ['a quoted text that does not end', `a: "${'\\n'.repeat(100_000)}`],
  ['200,000 comments', '#\n'.repeat(120_000)],
  ['100,000 documents', '---\n'.repeat(60_000)],
  ['100,000 commas', `a: [${','.repeat(100_000)}]`],
  ['a key of 200,000 signs', `${'k'.repeat(200_000)}: 1`],
  ['one line of spaces and tabs', `a:${' \t'.repeat(100_000)}b`],
  ['a block text with odd indentation', `a: |9\n${' x\n'.repeat(50_000)}`],
] as const) {
  row(what, () => {
    const { problems, milliseconds } = read({ 'web.yaml': text })
    expect(problems.length).toBeGreaterThan(0)
    return `${problems[0]?.message ?? ''} (${Math.round(milliseconds)} ms)`
  })
}

row('a YAML file above the limit', () => told({ 'web.yaml': `${LEAF}#${'x'.repeat(DEFAULT_READ_LIMITS.yamlBytes)}` }))
row('20,000 unknown keys', () =>
  told({ 'web.yaml': LEAF + Array.from({ length: 15_000 }, (_, at) => `imag${at}: 1`).join('\n') }),
)
row('a list of 40,000 ports', () =>
  told({ 'web.yaml': `${LEAF}ports: [${Array.from({ length: 40_000 }, (_, at) => at).join(',')}]` }),
)
row('20,000 labels', () => {
  const labels = Array.from({ length: 12_000 }, (_, at) => `  l${at}: v`).join('\n')
  const { milliseconds, tree } = read({ 'web.yaml': `${LEAF}labels:\n${labels}\n` })
  return `${tree === null ? 'refused' : 'read'} in ${Math.round(milliseconds)} ms`
})

const METHODS = ['__proto__', 'constructor', 'prototype', 'toString', 'hasOwnProperty', 'valueOf', '__defineGetter__']
row('names of methods as keys, everywhere', () => {
  let count = 0
  for (const name of METHODS) {
    for (const text of [
      `${name}: {polluted: 1}`,
      `environment: {${name}: x}`,
      `environment: ["${name}=x"]`,
      `labels: {${name}: x}`,
      `networks: {${name}: {aliases: [${name}]}}`,
      `depends_on: {${name}: {condition: service_started}}`,
      `depends_on: [${name}]`,
      `files: {/${name}: ./${name}}`,
      `sysctls: {${name}: 1}`,
      `ulimits: {${name}: 1}`,
      `logging: {driver: json-file, options: {${name}: x}}`,
      `healthcheck: {${name}: 1}`,
      `<<: {${name}: {polluted: 1}}`,
      `volumes: ["${name}:/x"]`,
      `image: "\${${name}}"`,
      `network_mode: service:${name}`,
    ]) {
      read({ 'web.yaml': `${text.startsWith('image') ? 'generation: 1\n' : LEAF}${text}\n` })
      read({ 'a/set.yaml': `defaults:\n  ${text}\n`, 'a/web.yaml': LEAF })
      count += 2
    }
    for (const text of [
      `${name}: {polluted: 1}`,
      `variables: {${name}: x}`,
      `host_variables: {${name}: x}`,
      `networks: {${name}: {}}`,
      `volumes: {${name}: {driver_opts: {${name}: x}}}`,
      `secrets: {${name}: {file: x}}`,
    ]) {
      read({ 'deployment.yaml': `${ROOT}${text}\n`, 'web.yaml': LEAF })
      count++
    }
  }
  return `${count} read; nothing is polluted`
})

row('leaves that are named as methods', () => {
  const files = Object.fromEntries(
    ['constructor', 'tostring', 'hasownproperty', 'valueof'].map((name) => [`${name}.yaml`, LEAF]),
  )
  const { tree } = read(files)
  expect([...(tree?.leaves.keys() ?? [])]).toEqual(['constructor', 'hasownproperty', 'tostring', 'valueof'])
  return `${read({ '__proto__.yaml': LEAF }).problems[0]?.message ?? ''}; the others are leaves`
})

row('a byte order mark, CRLF and CR', () => {
  for (const text of [`\uFEFF${LEAF}`, LEAF.replaceAll('\n', '\r\n')])
    expect(read({ 'web.yaml': text }).tree).not.toBeNull()
  const { tree, problems } = read({ 'web.yaml': LEAF.replaceAll('\n', '\r') })
  expect(tree === null && problems.length === 0).toBe(false)
  return 'read as usual'
})

for (const [what, text] of [
  ['NUL in a value', 'environment: {A: "x\\0y"}\n'],
  ['NUL in the file', '\0'],
  ['UTF-16', Buffer.from(LEAF, 'utf16le')],
  ['half a surrogate', 'environment: {A: "\\uD800"}\n'],
  ['escapes of a terminal in a key', '"\\e[2J": 1\n'],
  ['signs that turn the direction of writing', '"\u202Eegami": nginx\n'],
  ['a zero-width sign in a key', 'ima\u200Bge2: nginx\n'],
  ['Greek letters that look like Latin ones', 'ιmage: nginx\n'],
] as const) {
  row(what, () => {
    const content = typeof text === 'string' && !text.startsWith('\0') ? `${LEAF}${text}` : text
    const { problems, tree } = read({ 'web.yaml': content })
    expect(tree).toBeNull()
    return JSON.stringify(problems[0]?.message ?? '')
  })
}

row('a number as large as numbers get, as a generation', () => {
  const said = [
    '1e999',
    '99999999999999999999',
    '-1',
    '0',
    '.inf',
    '.nan',
    '1.5',
    '0x10',
    '1_000',
    '[1]',
    '{}',
    'true',
    "'1'",
  ].map((text) => {
    const { tree, problems } = read({ 'web.yaml': `generation: ${text}\nimage: a\n` })
    return tree === null ? (problems[0]?.message ?? '') : 'reads'
  })
  return `${said.filter((one) => one !== 'reads').length} of ${said.length} refused: ${said[0] ?? ''}`
})

row('variables that name each other, and long chains of defaults', () => {
  const nested = `${'${A:-'.repeat(5_000)}x${'}'.repeat(5_000)}`
  const { problems, milliseconds } = read({ 'web.yaml': `generation: 1\nimage: "${nested}"\n` })
  const doubling = Array.from({ length: 60 }, (_, at) => `  V${at + 1}: \${V${at}}\${V${at}}`).join('\n')
  const second = read({
    'deployment.yaml': `${ROOT}variables:\n  V0: x\n${doubling}\n`,
    'web.yaml': 'generation: 1\nimage: "${V60}"\n',
  })
  expect(second.tree).toBeNull()
  return `${problems[0]?.message.slice(0, 60) ?? 'read'} (${Math.round(milliseconds)} ms); ${second.problems[0]?.message.slice(0, 80) ?? ''}`
})

row('globs and patterns that take long to match', () => {
  const many = `${'a*'.repeat(40)}b`
  const { milliseconds } = read({
    'web.yaml': `generation: 1\nimage: ${'a'.repeat(120)}\nhealthcheck: {test: "${'('.repeat(2_000)}"}\nextra_hosts: ["${'a:'.repeat(2_000)}"]\nports: ["${'1-'.repeat(2_000)}"]\nvolumes: ["${':'.repeat(5_000)}"]\nmem_limit: ${'9'.repeat(3_000)}m\nstop_grace_period: ${'1h'.repeat(3_000)}\ndevices: ["${many}"]\n`,
  })
  return `answered in ${Math.round(milliseconds)} ms`
})

row('a generation’s comment that is no digest', () => {
  const { tree, problems } = read({ 'web.yaml': `generation: 1 # ${'f'.repeat(64)}\nimage: nginx:1\n` })
  return tree === null ? (problems[0]?.message ?? '') : `read; ${problems.length} problems`
})

row('a link and a submodule where a leaf should be', () => {
  const entries = new Map([
    ['deployment.yaml', entryOf('deployment.yaml', ROOT)],
    ['sub.yaml', entryOf('sub.yaml', '', 'submodule')],
    ['web.yaml', entryOf('web.yaml', '/etc/shadow', 'link')],
  ])
  const { problems, tree } = readSafely({ commit: null, entries })
  expect(tree).toBeNull()
  return problems.map(({ message }) => message).join('; ')
})

row('each limit, lowered: its message names the setting', () => {
  const limits = { ...DEFAULT_READ_LIMITS, yamlBytes: 100, yamlValues: 20, yamlAliases: 1, yamlDepth: 8 }
  const remedies = [
    '#'.repeat(200),
    `a: [${'1,'.repeat(30)}]`,
    'a: &a 1\nb: [*a, *a]',
    `a: ${'['.repeat(10)}${']'.repeat(10)}`,
  ].map((text) => readYaml(entryOf('a.yaml', text), limits).problems[0]?.remedy ?? '')
  const names = remedies.map((remedy) => /limits\.(\w+)/.exec(remedy)?.[1])
  expect(names).toEqual(['yaml_size', 'yaml_values', 'yaml_aliases', 'yaml_depth'])
  return names.join(', ')
})
