// Where settings come from, and which of them wins.

import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

import { describe, expect, it } from 'vitest'

import { loadSettings } from '../../../src/cli/load-settings.ts'
import { Problems } from '../../../src/cli/mistakes.ts'
import { DEFAULT_LIMIT_SETTINGS } from '../../../src/daemon/limit-settings.ts'
import { SETTING_WORDS, type SettingWords } from '../../../src/daemon/setting-words.ts'
import { settingsSchema } from '../../../src/daemon/settings.ts'
import { fakeSurroundings, graft } from './fake-surroundings.ts'

function withConfig(text: string, env: Record<string, string> = {}) {
  const surroundings = fakeSurroundings()
  const folder = join(surroundings.home, '.config', 'graft')
  mkdirSync(folder, { recursive: true })
  const file = join(folder, 'graft.config.yaml')
  writeFileSync(file, text)
  return { ...surroundings, env, file, folder }
}

async function problemsOf(loading: Promise<unknown>) {
  const error = await loading.then(
    () => null,
    (thrown: unknown) => thrown,
  )
  if (!(error instanceof Problems)) throw new Error(`no problems, but ${String(error)}`)
  return error.problems
}

describe('settings', () => {
  it('come from flags, then variables, then the file, then defaults', async () => {
    const surroundings = withConfig('parallel: 5\npoll: 50\nref: file\n', { GRAFT_PARALLEL: '6', GRAFT_POLL: '60' })
    const settings = await loadSettings({ parallel: '7' }, surroundings)
    expect(settings).toMatchObject({ parallel: 7, poll: 60, ref: 'file', log_level: 'info', allow_privileged: false })
  })

  it('take relative paths from where they were written', async () => {
    const surroundings = withConfig('policy: policy.yaml\nrepo: ./site\n', { GRAFT_HOST_VARIABLES: 'host.yaml' })
    const settings = await loadSettings({ state: 'state' }, surroundings)
    expect(settings).toMatchObject({
      policy: join(surroundings.folder, 'policy.yaml'),
      repo: join(surroundings.folder, 'site'),
      host_variables: join(surroundings.cwd, 'host.yaml'),
      state: join(surroundings.cwd, 'state'),
    })
  })

  it('take ~/ for the home of whoever runs graft', async () => {
    const surroundings = withConfig('git_ssh_key_file: ~/.ssh/deploy\ngit_known_hosts_file: known\n')
    expect(await loadSettings({}, surroundings)).toMatchObject({
      git_ssh_key_file: join(surroundings.home, '.ssh/deploy'),
      git_known_hosts_file: join(surroundings.folder, 'known'),
    })
  })

  it.each([
    'https://git.example/site.git',
    'git@git.example:site',
    'git@[::1]:site',
    'ssh://git@git.example:22/site',
    'file:///srv/site.git',
  ])('leave the address %s as it is', async (repo) => {
    expect((await loadSettings({ repo }, fakeSurroundings())).repo).toBe(repo)
  })

  it('keep the state where the host keeps such things', async () => {
    const { home, cwd } = fakeSurroundings()
    const state = async (change: object) =>
      (await loadSettings({}, { ...fakeSurroundings(), home, cwd, ...change })).state
    expect(await state({})).toBe(join(home, '.local/state/graft'))
    expect(await state({ env: { XDG_STATE_HOME: '/s' } })).toBe('/s/graft')
    expect(await state({ root: true })).toBe('/var/lib/graft')
  })

  it('are never taken from the current folder, which may be a clone of the repository', async () => {
    const surroundings = fakeSurroundings()
    writeFileSync(join(surroundings.cwd, 'graft.config.yaml'), 'allow_privileged: true\n')
    const elsewhere = { ...surroundings, home: fakeSurroundings().home }
    expect((await loadSettings({}, elsewhere)).allow_privileged).toBe(false)
  })

  it('read mirrors in each of the three places', async () => {
    const rule = { from: 'quay.io/', to: 'registry.local:5000/quay/' }
    const text = 'quay.io/=registry.local:5000/quay/'
    const surroundings = withConfig(`mirrors: [${JSON.stringify(rule)}]\n`)
    expect((await loadSettings({}, surroundings)).mirrors).toEqual([rule])
    expect((await loadSettings({}, { ...surroundings, env: { GRAFT_MIRRORS: text } })).mirrors).toEqual([rule])
    expect((await loadSettings({ mirror: [text] }, surroundings)).mirrors).toEqual([rule])
  })

  it('that are wrong are told all at once, each with its place', async () => {
    const surroundings = withConfig('paralel: 4\npoll: often\n', { GRAFT_LOG_LEVEL: 'loud' })
    const problems = await problemsOf(loadSettings({ parallel: '0' }, surroundings))
    expect(problems.map(({ file, line, column, text }) => ({ file, line, column, text }))).toEqual(
      expect.arrayContaining([
        { file: surroundings.file, line: 1, column: 1, text: 'paralel' },
        { file: surroundings.file, line: 2, column: 7, text: 'often' },
        { file: null, line: null, column: null, text: 'GRAFT_LOG_LEVEL=loud' },
        { file: null, line: null, column: null, text: '--parallel 0' },
      ]),
    )
    expect(problems).toHaveLength(4)
    expect(problems.find(({ text }) => text === 'paralel')?.remedy).toBe('did you mean parallel?')
  })

  it('take limits as a mapping, as flags and as one variable', async () => {
    const surroundings = withConfig('limits: {files: 100, git_memory: 2g}\n')
    expect((await loadSettings({}, surroundings)).limits).toMatchObject({ files: 100, git_memory: 2 * 1024 ** 3 })
    const env = { GRAFT_LIMITS: 'files=200,yaml_size=1.5m' }
    expect((await loadSettings({}, { ...surroundings, env })).limits).toMatchObject({
      files: 200,
      yaml_size: 1_572_864,
    })
    const flagged = await loadSettings({ setLimit: ['files=300', 'leaves=7'] }, { ...surroundings, env })
    expect(flagged.limits).toMatchObject({ files: 300, leaves: 7, git_memory: 1024 ** 3 })
    expect((await loadSettings({}, fakeSurroundings())).limits).toEqual(DEFAULT_LIMIT_SETTINGS)
  })

  it.each([
    ['fils: 100', 'there is no limit fils', 'did you mean files?'],
    ['files: many', 'limits.files is a whole number from 10 to 1000000', 'write for example files: 50000'],
    ['files: -1', 'limits.files is a whole number from 10 to 1000000', 'write for example files: 50000'],
    ['git_memory: 1k', 'limits.git_memory is a whole number from 64m to 64g', 'write for example git_memory: 1g'],
    ['constructor: 1', 'there is no limit constructor', expect.stringContaining('the limits are git_seconds')],
  ])('refuse the limit %s with its place', async (text, message, remedy) => {
    const problems = await problemsOf(loadSettings({}, withConfig(`limits:\n  ${text}\n`)))
    expect(problems).toMatchObject([{ message, remedy, line: 2 }])
  })

  it('in a file that was named and is not there are a problem', async () => {
    const problems = await problemsOf(loadSettings({ config: 'nowhere.yaml' }, fakeSurroundings()))
    expect(problems[0]?.message).toBe('the settings file is not there')
  })

  it('have words for each key, and a flag', async () => {
    expect(Object.keys(SETTING_WORDS)).toEqual(Object.keys(settingsSchema.shape))
    const { out } = await graft(['--help'])
    for (const [key, { flag }] of Object.entries<SettingWords>(SETTING_WORDS))
      expect(out).toContain(`--${flag ?? key.replaceAll('_', '-')}`)
  })
})
