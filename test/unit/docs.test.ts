// The documents say what the program does: every key, setting and command is there, in the program's own words, and
// every YAML example is read by graft's own readers.

import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'

import { Writable } from 'node:stream'
import { describe, expect, test } from 'vitest'
import { parse, stringify } from 'yaml'

import { runCommandLine } from '../../src/cli/program.ts'
import type { Surroundings, Terminal } from '../../src/cli/surroundings.ts'
import { SETTING_WORDS, type SettingWords } from '../../src/daemon/setting-words.ts'
import { settingsSchema } from '../../src/daemon/settings.ts'
import { parsePolicy } from '../../src/desired/policy.ts'
import { createReader } from '../../src/desired/read.ts'
import { deploymentShape } from '../../src/desired/schema/deployment-shape.ts'
import { leafKeys } from '../../src/desired/schema/service-keys.ts'
import { setShape } from '../../src/desired/schema/set-shape.ts'
import { snapshotOf } from './desired/snapshot-of.ts'

const root = resolve(import.meta.dirname, '../..')
const pages = ['README.md', 'CHANGELOG.md', 'example-repo/README.md', ...markdownIn('docs')]
const read = (page: string): string => readFileSync(join(root, page), 'utf8')

function markdownIn(folder: string): string[] {
  return readdirSync(join(root, folder))
    .filter((name) => name.endsWith('.md'))
    .map((name) => `${folder}/${name}`)
}

/** A value as it stands in a cell of a table. */
function cell(value: unknown): string {
  const flow = stringify(value, { collectionStyle: 'flow', lineWidth: 0, flowCollectionPadding: false }).trimEnd()
  return `\`${flow.replaceAll('|', '\\|')}\``
}

describe('leaf.md', () => {
  const page = read('docs/leaf.md')
  const keys = [...leafKeys]

  test.each(keys.flatMap(([name, key]) => (key.served ? [[name, key] as const] : [])))(
    'describes %s',
    (name, { description, examples }) => {
      const row = `| \`${name}\` | ${description.replaceAll('|', '\\|')} | ${examples.map(cell).join('<br>')} |`
      expect(page).toContain(row)
    },
  )

  test.each(keys.flatMap(([name, key]) => (key.served ? [] : [[name, key.advice] as const])))(
    'says what to do instead of %s',
    (name, advice) => {
      expect(page).toContain(`| \`${name}\` | ${advice} |`)
    },
  )

  test('names no key that there is not', () => {
    const tables = page.split('\n\n').filter((block) => block.startsWith('| key | meaning | examples |'))
    const rows = tables.flatMap((table) => [...table.matchAll(/^\| `(\w+)` \|/gm)].map(([, name]) => name ?? ''))
    expect(rows.length).toBeGreaterThan(60)
    expect(rows.filter((name) => !leafKeys.has(name))).toEqual([])
  })
})

describe('sets.md and deployment.md', () => {
  test.each(Object.keys(setShape))('sets.md describes %s', (key) => {
    expect(read('docs/sets.md')).toMatch(new RegExp(`^\\| \`${key}(\\.\\w+)?\` \\| \\S`, 'm'))
  })

  test.each(Object.keys(deploymentShape).filter((key) => !Object.hasOwn(setShape, key)))(
    'deployment.md describes %s',
    (key) => {
      expect(read('docs/deployment.md')).toMatch(new RegExp(`^\\| \`${key}\` \\| \\S`, 'm'))
    },
  )
})

describe('settings.md', () => {
  const page = read('docs/settings.md')
  const words: [string, SettingWords][] = Object.entries(SETTING_WORDS)

  test.each(words)('describes %s with its flag and its variable', (key, { flag: other, value, description }) => {
    const flag = `--${other ?? key.replaceAll('_', '-')}${value === null ? '' : ` ${value}`}`
    const cells = [key, flag, `GRAFT_${key.toUpperCase()}`].map((text) => `\`${text}\``)
    const row = `| ${[...cells, description].map((text) => text.replaceAll('|', '\\|')).join(' | ')} |`
    expect(page).toContain(row)
  })

  test('names no setting that there is not', () => {
    const rows = [...page.matchAll(/^\| `(\w+)` \| `--/gm)].map(([, name]) => name)
    expect(rows).toEqual(Object.keys(settingsSchema.shape))
  })
})

describe('commands.md', () => {
  const page = read('docs/commands.md')

  test('has a section for every command, in the order of the help, and for no other', async () => {
    const commands = [...(await help('--help')).matchAll(/^ {2}([a-z]+) {2,}\S/gm)].map(([, name]) => name)
    const sections = [...page.matchAll(/^## graft (\w+)$/gm)].map(([, name]) => name)
    expect(commands.length).toBeGreaterThan(8)
    // `demo` is added by main.ts, behind all others.
    expect(sections).toEqual([...commands, 'demo'])
  })

  test.each([...page.matchAll(/^## graft (\w+)$/gm)].map(([, name]) => name ?? '').filter((name) => name !== 'demo'))(
    'graft %s has the options and the examples that its help has',
    async (name) => {
      const text = await help(name, '--help')
      const section = page.split(`## graft ${name}\n`)[1]?.split('\n## ')[0] ?? ''
      const own = text.split('Options of every command:')[0] ?? ''
      const options = [...own.matchAll(/^ {2}(?:-\w, )?(--[a-z-]+)/gm)].map(([, option]) => option ?? '')
      expect(options).toContain('--help')
      for (const option of options) if (option !== '--help') expect(section).toContain(`\`${option}`)
      const shown = [...section.matchAll(/^\| (?:`-\w`, )?`(--[a-z-]+)/gm)].map(([, option]) => option)
      for (const option of shown) expect(options).toContain(option)
    },
  )
})

/** What the program prints; it is never asked to do anything. */
async function help(...argv: string[]): Promise<string> {
  let text = ''
  const stream = new Writable({
    write(chunk, _encoding, done) {
      text += String(chunk)
      done()
    },
  })
  const terminal: Terminal = { stream, isTerminal: false, size: () => ({ columns: 110, rows: 40 }) }
  const surroundings: Surroundings = {
    env: {},
    cwd: root,
    home: root,
    root: false,
    stdout: terminal,
    stderr: terminal,
    stdin: null,
    onStop: () => () => undefined,
    onHangUp: () => () => undefined,
    exit: (code) => {
      throw new Error(`help ended with ${code}`)
    },
  }
  expect(await runCommandLine(argv, surroundings, '0.0.0')).toBe(0)
  return text
}

interface Example {
  readonly page: string
  readonly line: number
  readonly kind: string
  readonly text: string
}

const examples = pages.flatMap((page): Example[] => {
  const text = read(page)
  return [...text.matchAll(/^```ya?ml([^\n]*)\n(.*?)^```$/gms)].map((match) => ({
    page,
    line: text.slice(0, match.index).split('\n').length,
    kind: match[1]?.trim() ?? '',
    text: match[2] ?? '',
  }))
})

/** What the examples lean on: names, files and variables that they use and do not declare. */
const surroundingFiles = {
  'deployment.yaml': `name: examples
networks: {backend: {}}
volumes: {data: {}}
secrets: {database-password: {host: a}, tls-key: {host: b}}
variables: {region: eu-1, greeting: Hello}
ingress: {image: haproxy:3.2-alpine, generation: 1}
`,
  'shop/set.yaml': 'version: "1"\n',
  'shop/nova.conf': '[DEFAULT]\n',
  'shop/index.html': '<p>${greeting}\n',
  'shop/nova-db-sync.yaml': 'kind: job\ngeneration: 1\nimage: nova:1\n',
  'shop/web/set.yaml': '',
  'database/set.yaml': '',
}

function problemsOf({ kind, text }: Example): unknown[] {
  switch (kind) {
    case 'leaf':
      // In a set's folder a YAML file is content only where a leaf mounts it.
      return problemsIn({
        'shop/example.yaml': text,
        ...(text.includes('null') ? { 'shop/set.yaml': 'version: "1"\ndefaults: {stop_grace_period: 30s}\n' } : {}),
        ...(text.includes('./policy.yaml') ? { 'shop/policy.yaml': 'rules: []\n' } : {}),
      })
    case 'set':
      return problemsIn({ 'shop/set.yaml': `version: "1"\n${text.replace(/^version:.*$/m, '')}` })
    case 'deployment':
      return problemsIn({ 'deployment.yaml': text.replace('variables:', 'variables:\n  greeting: Hello') })
    case 'policy':
      return parsePolicy(text, 'policy.yaml').problems
    case 'settings':
      return settingsSchema.safeParse(parse(text)).error?.issues ?? []
    case 'host':
      return typeof parse(text) === 'object' ? [] : ['no mapping']
    default:
      return [`"${kind}" is no kind of example: leaf, set, deployment, policy, settings or host`]
  }
}

function problemsIn(files: Record<string, string>): unknown[] {
  const { tree, problems } = createReader().read(snapshotOf({ ...surroundingFiles, ...files }), { host: null })
  if (tree === null) return [...problems, 'it does not read']
  const misquoted = [...tree.leaves.values()].filter(
    ({ digestComment, ledgerDigest }) => digestComment !== null && !ledgerDigest.startsWith(digestComment),
  )
  return [...problems, ...misquoted.map(({ ledgerDigest }) => `its digest is ${ledgerDigest.slice(0, 6)}`)]
}

describe('examples', () => {
  test('are found', () => {
    expect(new Set(examples.map(({ kind }) => kind))).toEqual(
      new Set(['leaf', 'set', 'deployment', 'policy', 'settings', 'host']),
    )
  })

  test.each(examples.map((example) => [`${example.page}:${example.line} (${example.kind})`, example] as const))(
    '%s is read without a problem',
    (_name, example) => {
      expect(problemsOf(example)).toEqual([])
    },
  )

  test('a wrong one is found', () => {
    const wrong = { page: '', line: 1, kind: 'leaf', text: 'generation: 1\nimag: nginx\n' }
    expect(problemsOf(wrong)).not.toEqual([])
  })
})

describe('links', () => {
  const links = pages.flatMap((page) =>
    [...read(page).matchAll(/\]\((?!https?:)([^)\s]+)\)/g)].map(([, target]) => [page, target ?? ''] as const),
  )

  test.each(links)('%s → %s', (page, target) => {
    const [path = '', anchor] = target.split('#')
    const file = path === '' ? join(root, page) : resolve(root, dirname(page), path)
    if (path !== '') expect(readdirSync(dirname(file))).toContain(file.split('/').at(-1))
    if (anchor === undefined) return
    const headings = [...readFileSync(file, 'utf8').matchAll(/^#+ (.+)$/gm)].map(([, text]) => slug(text ?? ''))
    expect(headings).toContain(anchor)
  })
})

/** As GitHub makes an anchor of a heading. */
function slug(heading: string): string {
  return heading
    .toLowerCase()
    .replace(/[^\p{L}\p{N} _-]/gu, '')
    .replaceAll(' ', '-')
}
