// What a person types, and what comes back, without an engine and without a repository.

import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

import { describe, expect, it } from 'vitest'

import { allSchemas, SCHEMA_NAMES, schemaFile, schemaText } from '../../../src/cli/schemas.ts'
import { createReader } from '../../../src/desired/read.ts'
import type { SnapshotEntry } from '../../../src/repository/snapshot.ts'
import { graft, temporaryFolder } from './fake-surroundings.ts'

const COMMANDS = [
  'init',
  'validate',
  'plan',
  'apply',
  'run',
  'status',
  'history',
  'trace',
  'diff',
  'logs',
  'restart',
  'stop',
  'start',
  'retry',
  'schema',
]

describe('help', () => {
  it('lists every command, with and without being asked', async () => {
    for (const argv of [['--help'], []]) {
      const { out, exitCode } = await graft(argv)
      expect(exitCode).toBe(0)
      for (const name of COMMANDS) expect(out).toMatch(new RegExp(`^  ${name} `, 'm'))
    }
  })

  it.each(COMMANDS)('of %s has examples', async (name) => {
    const asked = await graft([name, '--help'])
    expect(asked.exitCode).toBe(0)
    expect(asked.out).toContain('Examples:')
    expect((await graft(['help', name])).out).toBe(asked.out)
  })

  it('gives the version', async () => {
    expect(await graft(['--version'])).toMatchObject({ exitCode: 0, out: '1.2.3\n' })
  })
})

describe('a wrong command line', () => {
  it.each([
    [['plann'], 'Did you mean plan?'],
    [['plan', '--frobnicate'], "unknown option '--frobnicate'"],
    [['logs'], "missing required argument 'NAME|SET'"],
    [['plan', '--against', 'main'], '--against goes with --offline'],
    [['trace'], "missing required argument 'CONTAINER'"],
    [['history', '--limit', '0'], '--limit 0 is not a number of commits'],
    [['schema', 'contaner'], 'did you mean container?'],
    [['init', '--name', 'Not_A_Name'], 'no name for a deployment'],
  ])('%j is told with a remedy, exit 1', async (argv, words) => {
    const { exitCode, err, out } = await graft(argv)
    expect(err).toContain(words)
    expect(err).toContain('→')
    expect(err).not.toMatch(/^\s+at /m)
    expect({ exitCode, out }).toEqual({ exitCode: 1, out: '' })
  })

  it('outside a repository says so, as JSON too', async () => {
    const said = await graft(['validate'])
    expect(said.exitCode).toBe(1)
    expect(said.err).toContain('is not in a Git repository')
    const { out, exitCode } = await graft(['validate', '--json'])
    expect(exitCode).toBe(1)
    expect(JSON.parse(out)).toMatchObject({ format: 1, ok: false, problems: [{ severity: 'unreadable' }] })
  })
})

describe('init', () => {
  it('writes a deployment that reads without a problem', async () => {
    const { exitCode, cwd } = await graft(['init', 'My Site'])
    expect(exitCode).toBe(0)
    const { tree, problems } = createReader().read(
      { commit: null, entries: entriesOf(join(cwd, 'My Site')) },
      { host: null },
    )
    expect(problems).toEqual([])
    expect(tree?.name).toBe('my-site')
    expect([...(tree?.leaves.keys() ?? [])]).toEqual(['hello'])
  })

  it('names a schema, which is there, on the first line of every YAML file of the deployment', async () => {
    const { cwd } = await graft(['init', '.'])
    const files = [...entriesOf(cwd).keys()]
    for (const file of ['deployment.yaml', 'web/set.yaml', 'web/hello.yaml']) {
      const [first = ''] = readFileSync(join(cwd, file), 'utf8').split('\n')
      const schema = /^# yaml-language-server: \$schema=(\S+)$/.exec(first)?.[1] ?? 'none'
      expect(files).toContain(join(file, '..', schema))
    }
  })

  it('overwrites nothing', async () => {
    const cwd = temporaryFolder()
    await graft(['init', '.'], { cwd })
    const before = readFileSync(join(cwd, 'deployment.yaml'), 'utf8')
    const { exitCode, err } = await graft(['init', '.', '--name', 'other'], { cwd })
    expect(exitCode).toBe(1)
    expect(err).toContain('deployment.yaml')
    expect(readFileSync(join(cwd, 'deployment.yaml'), 'utf8')).toBe(before)
  })
})

describe('schema', () => {
  it.each(SCHEMA_NAMES)('%s is printed, and is what lies in schemas/', async (name) => {
    const { out, exitCode } = await graft(['schema', name])
    expect(exitCode).toBe(0)
    expect(out).toBe(schemaText(allSchemas()[name]))
    const file = new URL(`../../../schemas/${schemaFile(name)}`, import.meta.url)
    expect(readFileSync(file, 'utf8') === out, `schemas/${schemaFile(name)} is old: graft schema --write schemas`).toBe(
      true,
    )
  })

  it('writes all of them', async () => {
    const { cwd } = await graft(['schema', '--write', 'here'])
    expect(readdirSync(join(cwd, 'here')).toSorted()).toEqual(SCHEMA_NAMES.map(schemaFile).toSorted())
  })
})

function entriesOf(folder: string): Map<string, SnapshotEntry> {
  const paths = readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(folder.length + 1))
  return new Map(
    paths.toSorted().map((path) => {
      const content = readFileSync(join(folder, path))
      return [path, { path, kind: 'file', oid: path, executable: false, size: content.length, content }]
    }),
  )
}
