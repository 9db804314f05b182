// graft outdated and graft bump --outdated: the real program, native Git as the witness, and a real registry.

import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { startGitServer } from '../../../src/demo/git-server.ts'
import { registryAccount, startRegistry, type Registry } from '../../../src/demo/registry.ts'
import { openSandbox, type Sandbox } from '../../unit/repository/git-sandbox.ts'
import { graft, type Ran } from '../commands/graft.ts'
import { pushImage } from './push-image.ts'

const ANN = { GIT_AUTHOR_NAME: 'Ann Example', GIT_AUTHOR_EMAIL: 'ann@example.org' }
const REVISIONS = { old: 'a'.repeat(40), new: 'b'.repeat(40) }
const SOURCE = 'https://github.com/example/web'

let folder: string
let registry: Registry
let sandbox: Sandbox
let digests: Record<'web12' | 'web13' | 'pinned' | 'pinnedNew', string>
let run: (...args: string[]) => Promise<Ran>
const git = (...args: string[]): string => sandbox.git('site', ...args)
const text = (path: string): Promise<string> => readFile(sandbox.path('site', path), 'utf8')
const data = async (...args: string[]): Promise<Record<string, unknown> & { leaves: Record<string, unknown>[] }> =>
  JSON.parse((await run(...args, '--json')).output) as Record<string, unknown> & { leaves: Record<string, unknown>[] }

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'graft-outdated-'))
  registry = await startRegistry({ folder: join(folder, 'registry') })
  const put = (name: string, tag: string, more: Parameters<typeof pushImage>[3] = {}) =>
    pushImage(registry.url, name, tag, { build: tag, ...more })
  const labels = (revision: string, version: string) => ({
    'org.opencontainers.image.source': SOURCE,
    'org.opencontainers.image.revision': revision,
    'org.opencontainers.image.version': version,
  })
  const web12 = await put('team/web', '1.2.0', { labels: labels(REVISIONS.old, 'v1.2.0') })
  const web13 = await put('team/web', '1.3.1', {
    labels: { ...labels(REVISIONS.new, 'v1.3.1\nSigned-off-by: Mallory') },
    platforms: ['linux/amd64', 'linux/arm64'],
  })
  for (const tag of ['1.3.0', '2.0.0', '1.4.0-rc.1']) await put('team/web', tag)
  for (const name of ['team/api', 'team/worker']) for (const tag of ['2025.1', '2025.2']) await put(name, tag)
  for (const tag of ['7.0', '7.1']) await put('team/free', tag)
  const pinned = await put('team/pinned', '5')
  const pinnedNew = await put('team/pinned', '5', { build: 'another' })
  digests = { web12, web13, pinned, pinnedNew }
})
afterAll(async () => {
  await registry.stop()
  await rm(folder, { recursive: true })
})

beforeEach(async () => {
  sandbox = openSandbox()
  await mkdir(sandbox.path('site'))
  git('init', '-q', '-b', 'main')
  const at = registry.address
  sandbox.commit('site', {
    'deployment.yaml': 'name: shop\nformat: 1\n',
    'web.yaml': `generation: 4\nimage: ${at}/team/web:1.2.0   # the site\nimage_policy: {semver: "^1.2"}\n`,
    'free.yaml': `generation: 1\nimage: ${at}/team/free:7.0\n`,
    'pinned.yaml': `generation: 1\nimage: ${at}/team/pinned:5@${digests.pinned}\nimage_policy: {semver: "*"}\n`,
    'shop/set.yaml': 'version: "2025.1"\ndefaults:\n  image_policy: {semver: ">=2025"}\n',
    'shop/api.yaml': `generation: 1\nimage: ${at}/team/api:\${version}\n`,
    'shop/worker.yaml': `generation: 1\nimage: ${at}/team/worker:\${version}\n`,
  })
  run = (...args) => graft(sandbox.path('site'), [...args, '--state', sandbox.path('state')], ANN)
  return () => sandbox.remove()
})

describe('graft outdated', () => {
  it('lists what is allowed, what is newer still, and a tag that has moved', async () => {
    const { exitCode, output } = await run('outdated')
    expect(exitCode).toBe(2)
    expect(output).toMatch(/↑ web +\S+\/team\/web +1\.2\.0 +→ 1\.3\.1 +2\.0\.0 is outside of its image_policy\n/)
    expect(output).toMatch(/↑ free +\S+\/team\/free +7\.0 +→ 7\.1 +no image_policy\n/)
    expect(output).toMatch(
      /↑ pinned .* 5 +→ sha256:[0-9a-f]{12} +pinned to sha256:[0-9a-f]{12}, and the tag has moved\n/,
    )
    expect(output).toMatch(/↑ api .* 2025\.1 +→ 2025\.2\n/)
  })

  it('says the same to programs, of what is named', async () => {
    const found = await data('outdated', 'web', 'pinned')
    expect(found).toMatchObject({ format: 1, outdated: true })
    expect(found.leaves).toEqual([
      expect.objectContaining({
        leaf: 'pinned',
        newer: null,
        moved: true,
        served: digests.pinnedNew,
        digest: digests.pinned,
      }),
      expect.objectContaining({
        leaf: 'web',
        policy: true,
        tag: '1.2.0',
        newer: '1.3.1',
        newest: '2.0.0',
        moved: false,
        fault: null,
      }),
    ])
    expect((await data('outdated', 'shop')).leaves.map(({ leaf }) => leaf)).toEqual(['api', 'worker'])
    expect(await run('outdated', 'wbe')).toMatchObject({
      exitCode: 1,
      output: expect.stringContaining('did you mean web?'),
    })
  })

  it('reads the work tree where it is asked to, and is quiet where nothing is newer', async () => {
    await writeFile(sandbox.path('site', 'web.yaml'), `generation: 4\nimage: ${registry.address}/team/web:2.0.0\n`)
    expect(await run('outdated', 'web')).toMatchObject({ exitCode: 2 })
    expect(await run('outdated', 'web', '--worktree')).toMatchObject({
      exitCode: 0,
      output: '1 leaf, all up to date\n',
    })
  })

  it('tells of a registry that does not answer beside what the others say', async () => {
    sandbox.commit('site', { 'gone.yaml': `generation: 1\nimage: ${registry.address}/team/gone:1\n` })
    const { exitCode, output } = await run('outdated')
    expect(exitCode).toBe(1)
    expect(output).toMatch(/✗ gone .*has no image team\/gone/)
    expect(output).toMatch(/↑ web/)
  })
})

describe('registries that the host knows more of', () => {
  it('are asked through its mirrors, with the logins of Docker', async () => {
    const locked = await startRegistry({ folder: join(folder, 'locked'), withPassword: true })
    const auth = Buffer.from(`${registryAccount.username}:${registryAccount.password}`).toString('base64')
    for (const tag of ['1.0', '1.1']) await pushImage(locked.url, 'quay/team/app', tag, {}, `Basic ${auth}`)
    sandbox.commit('site', { 'app.yaml': 'generation: 1\nimage: quay.example/team/app:1.0\n' })
    const docker = sandbox.path('docker')
    await mkdir(docker)
    await writeFile(join(docker, 'config.json'), JSON.stringify({ auths: { [locked.address]: { auth } } }))
    const mirror = ['--mirror', `quay.example/=${locked.address}/quay/`]
    expect(await run('outdated', 'app', ...mirror, '--docker-config', docker)).toMatchObject({
      exitCode: 2,
      output: expect.stringMatching(/↑ app +quay\.example\/team\/app +1\.0 +→ 1\.1 +no image_policy/),
    })
    expect(await run('outdated', 'app', ...mirror, '--docker-config', sandbox.path('none'))).toMatchObject({
      exitCode: 1,
      output: expect.stringContaining('tried with no credentials'),
    })
    await locked.stop()
  })
})

describe('graft bump --outdated', () => {
  it('makes one commit, with a message for reviewers', async () => {
    expect(await run('bump', 'web', '--outdated', '--commit')).toMatchObject({ exitCode: 0 })
    expect(await text('web.yaml')).toMatch(
      /^generation: 5 # [0-9a-f]{7}\nimage: \S+\/team\/web:1\.3\.1 {3}# the site\nimage_policy: \{semver: "\^1\.2"\}\n$/,
    )
    expect(git('log', '-1', '--format=%an')).toBe('Ann Example')
    const name = `${registry.address}/team/web`
    expect(git('log', '-1', '--format=%B')).toBe(
      [
        'Bump web to 1.3.1',
        '',
        `- web 4 → 5: ${name}:1.2.0 → :1.3.1`,
        '',
        `${name}: 1.2.0 → 1.3.1`,
        `  from     ${digests.web12}`,
        `  to       ${digests.web13}`,
        '  version  v1.3.1 Signed-off-by: Mallory',
        `  changes  ${SOURCE}/compare/${REVISIONS.old}...${REVISIONS.new}`,
        `  source   ${SOURCE}`,
      ].join('\n'),
    )
    expect(await run('validate')).toMatchObject({ exitCode: 0 })
    expect(await run('outdated', 'web')).toMatchObject({ output: expect.stringContaining('all up to date') })
  })

  it('follows with everything that has a policy, pins again what is pinned, and is done then', async () => {
    expect(await run('bump', '--outdated')).toMatchObject({ exitCode: 0 })
    expect(
      git('status', '--porcelain')
        .split('\n')
        .map((line) => line.trim().slice(2).trim()),
    ).toEqual(['pinned.yaml', 'shop/api.yaml', 'shop/set.yaml', 'shop/worker.yaml', 'web.yaml'])
    expect(await text('shop/set.yaml')).toContain('version: "2025.2"')
    expect(await text('pinned.yaml')).toContain(`/team/pinned:5@${digests.pinnedNew}`)
    expect(await run('validate', '--worktree')).toMatchObject({ exitCode: 0 })
    expect(await run('bump', '--outdated')).toMatchObject({
      exitCode: 0,
      output: expect.stringContaining('there is nothing to change'),
    })
  })

  it('pins what it writes with --digest', async () => {
    await run('bump', 'web', '--outdated', '--digest')
    expect(await text('web.yaml')).toContain(`/team/web:1.3.1@${digests.web13}   # the site`)
  })

  it('makes a branch for each leaf, one for those that share a version, and leaves those that are there', async () => {
    const first = await run('bump', '--outdated', '--branch-per-leaf')
    expect(first).toMatchObject({ exitCode: 0 })
    const branches = git('branch', '--format=%(refname:short)').split('\n')
    const pinnedBranch = `bump/pinned-${digests.pinnedNew.slice(7, 19)}`
    expect(branches).toEqual([pinnedBranch, 'bump/shop-2025.2', 'bump/web-1.3.1', 'main'])
    expect(git('show', '--format=%s', '--name-only', 'bump/shop-2025.2').split('\n')).toEqual([
      'Bump api and worker to 2025.2',
      '',
      'shop/api.yaml',
      'shop/set.yaml',
      'shop/worker.yaml',
    ])
    expect(git('log', '-1', '--format=%s', pinnedBranch)).toBe('Bump pinned to what 5 is now')
    expect(git('status', '--porcelain')).toBe('')
    for (const branch of branches) expect(git('merge-base', branch, 'main')).toBe(git('rev-parse', 'main'))
    const second = await run('bump', '--outdated', '--branch-per-leaf')
    expect(second).toMatchObject({ exitCode: 0, output: expect.stringContaining('bump/web-1.3.1 is there already') })
    const json = JSON.parse((await run('bump', '--outdated', '--branch-per-leaf', '--json')).output) as object
    expect(json).toMatchObject({ format: 1, bumps: [], there: expect.arrayContaining(['bump/web-1.3.1']), remarks: [] })
  })

  it('needs no work tree: behind a URL the branches are pushed', async () => {
    git('clone', '-q', '--bare', '.', join(folder, 'served', 'site.git'))
    const server = await startGitServer({ folder: join(folder, 'served') })
    const args = ['bump', '--outdated', '--branch-per-leaf', '--repo', `${server.url}/site.git`]
    const state = ['--state', sandbox.path('state')]
    expect(await graft(sandbox.path(), [...args, ...state], ANN)).toMatchObject({ exitCode: 0 })
    const heads = () => git('ls-remote', '--heads', join(folder, 'served', 'site.git')).split('\n')
    expect(heads().map((line) => line.split('refs/heads/')[1])).toEqual([
      expect.stringMatching(/^bump\/pinned-[0-9a-f]{12}$/),
      'bump/shop-2025.2',
      'bump/web-1.3.1',
      'main',
    ])
    const before = heads()
    expect(await graft(sandbox.path(), [...args, ...state], ANN)).toMatchObject({
      exitCode: 0,
      output: expect.stringContaining('bump/shop-2025.2 is there already'),
    })
    expect(heads()).toEqual(before)
    await server.stop()
  })

  it('keeps a shared version where a leaf that uses it may not follow', async () => {
    await writeFile(
      sandbox.path('site', 'shop/worker.yaml'),
      `generation: 1\nimage: ${registry.address}/team/worker:\${version}\nimage_policy: null\n`,
    )
    const { exitCode, output } = await run('bump', '--outdated')
    expect(exitCode).toBe(0)
    expect(output).toContain(
      'api stays: version in shop/set.yaml is also that of worker, which may not follow to 2025.2',
    )
    expect(await text('shop/set.yaml')).toContain('version: "2025.1"')
    expect(await text('web.yaml')).toContain(':1.3.1')
  })

  it('goes on past a registry that does not answer, and ends with 1', async () => {
    const gone = `generation: 1\nimage: ${registry.address}/team/gone:1\nimage_policy: {semver: "*"}\n`
    sandbox.commit('site', { 'gone.yaml': gone })
    const { exitCode, output } = await run('bump', '--outdated')
    expect(exitCode).toBe(1)
    expect(output).toContain('gone stays: ')
    expect(await text('web.yaml')).toContain(':1.3.1')
  })

  it.each([
    [['free', '--outdated'], 'free has no image_policy'],
    [['--outdated', '--tag', '1'], '--outdated and --tag are different wishes'],
    [['--branch-per-leaf', 'web', '--tag', '1'], '--branch-per-leaf goes with --outdated'],
    [['--outdated', '--branch-per-leaf', '--branch', 'x'], 'leave --branch out'],
  ])('%j is refused in words', async (args, words) => {
    expect(await run('bump', ...args)).toMatchObject({ exitCode: 1, output: expect.stringContaining(words) })
    expect(git('status', '--porcelain')).toBe('')
  })
})
