// graft bump and validate --fix: the real program, in folders and behind a real Git server, native Git as the witness.

import { createHash } from 'node:crypto'
import { mkdtemp, readFile, rm, symlink, writeFile, mkdir, chmod, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'

import { startGitServer, type GitServer } from '../../../src/demo/git-server.ts'
import { startRegistry, type Registry } from '../../../src/demo/registry.ts'
import { openSandbox, type Sandbox } from '../../unit/repository/git-sandbox.ts'
import { graft, type Ran } from './graft.ts'

const FILES = {
  'deployment.yaml': 'name: shop\nformat: 1\n',
  'web/set.yaml': '# the web\nversion: "1.4"   # follows upstream\n',
  'web/api.yaml': '# the API\ngeneration: 1\nimage: docker.io/x/api:${version} # built by CI\n',
  'web/worker.yaml': 'generation: 3\nimage: docker.io/x/worker:${version}\n',
  'web/page.yaml': 'generation: 2\r\nimage: "docker.io/x/page:7"   # pages\r\nfiles: {/etc/page.conf: ./page.conf}\r\n',
  'web/page.conf': 'one\n',
}
const ANN = { GIT_AUTHOR_NAME: 'Ann Example', GIT_AUTHOR_EMAIL: 'ann@example.org' }

let sandbox: Sandbox
let run: (...args: string[]) => Promise<Ran>
const git = (...args: string[]): string => sandbox.git('site', ...args)
const text = (path: string): Promise<string> => readFile(sandbox.path('site', path), 'utf8')
const valid = async (): Promise<void> => expect(await run('validate', '--worktree')).toMatchObject({ exitCode: 0 })

beforeEach(async () => {
  sandbox = openSandbox()
  await mkdir(sandbox.path('site'))
  git('init', '-q', '-b', 'main')
  sandbox.commit('site', FILES, 'A first deployment')
  run = (...args) => graft(sandbox.path('site'), [...args, '--state', sandbox.path('state')], ANN)
  return () => sandbox.remove()
})

describe('in a work tree', () => {
  it('writes tag and generation, and nothing else', async () => {
    await chmod(sandbox.path('site', 'web/page.yaml'), 0o640)
    expect(await run('bump', 'page', '--tag', '8')).toMatchObject({
      exitCode: 0,
      output: expect.stringContaining('~ page  2 → 3  docker.io/x/page:7 → :8'),
    })
    expect(await text('web/page.yaml')).toMatch(
      /^generation: 3 # [0-9a-f]{7}\r\nimage: "docker.io\/x\/page:8" {3}# pages\r\nfiles: \{\/etc\/page.conf: .\/page.conf\}\r\n$/,
    )
    expect((await stat(sandbox.path('site', 'web/page.yaml'))).mode & 0o777).toBe(0o640)
    expect(git('status', '--porcelain')).toBe('M web/page.yaml')
    await valid()
  })

  it('keeps a number that is not committed yet, with the digest of what it means now', async () => {
    await run('bump', 'page', '--tag', '8')
    const first = await text('web/page.yaml')
    expect(await run('bump', 'page', '--tag', '9')).toMatchObject({ output: expect.stringContaining('3 stays') })
    const second = await text('web/page.yaml')
    expect(second).toMatch(/^generation: 3 # /)
    expect(second.slice(0, 24)).not.toBe(first.slice(0, 24))
    await valid()
  })

  it('writes a version, and the generations of all that use it', async () => {
    expect(await run('bump', 'web', '--version', '1.5')).toMatchObject({ exitCode: 0 })
    expect(await text('web/set.yaml')).toBe('# the web\nversion: "1.5"   # follows upstream\n')
    expect(await text('web/api.yaml')).toMatch(
      /^# the API\ngeneration: 2 # [0-9a-f]{7}\nimage: docker.io\/x\/api:\$\{version\} # built by CI\n$/,
    )
    expect(await text('web/worker.yaml')).toMatch(/^generation: 4 # /)
    expect(await text('web/page.yaml')).toBe(FILES['web/page.yaml'])
    await valid()
  })

  it('refuses a tag that others share, and takes it where all are named', async () => {
    const refused = await run('bump', 'api', '--tag', '1.5')
    expect(refused).toMatchObject({ exitCode: 1, output: expect.stringContaining('graft bump web --version 1.5') })
    expect(refused.output).toContain('worker')
    expect(git('status', '--porcelain')).toBe('')
    expect(await run('bump', 'api', 'worker', '--tag', '1.5')).toMatchObject({ exitCode: 0 })
    expect(await text('web/set.yaml')).toContain('version: "1.5"')
    await valid()
  })

  it('--changed finds what was changed by hand, in a file or in what it mounts', async () => {
    await writeFile(sandbox.path('site', 'web/page.conf'), 'two\n')
    await writeFile(sandbox.path('site', 'web/worker.yaml'), `${FILES['web/worker.yaml']}environment: {A: b}\n`)
    const { exitCode, output } = await run('bump', '--changed')
    expect({ exitCode, output }).toMatchObject({ exitCode: 0 })
    expect(output).toContain('/etc/page.conf changed')
    expect(output).toContain('environment.A added')
    expect(
      git('status', '--porcelain')
        .split('\n')
        .map((line) => line.trim()),
    ).toEqual(['M web/page.conf', 'M web/page.yaml', 'M web/worker.yaml'])
    await valid()
    expect(await run('bump', '--changed')).toMatchObject({ output: expect.stringContaining('nothing to change') })
  })

  it('validate --fix does the same, says so, and leaves what does not read alone', async () => {
    await writeFile(sandbox.path('site', 'web/page.conf'), 'two\n')
    const fixed = await run('validate', '--fix', '--json')
    expect(fixed.exitCode).toBe(0)
    expect(JSON.parse(fixed.output)).toMatchObject({
      ok: true,
      fixed: [{ leaf: 'page', file: 'web/page.yaml', from: 2, to: 3 }],
    })
    expect(git('diff', '--stat', '--', 'web/page.yaml')).toContain('2 +-')
    await writeFile(sandbox.path('site', 'web/page.conf'), 'three\n')
    await writeFile(sandbox.path('site', 'web/new.yaml'), 'generation: x\n')
    const before = await text('web/page.yaml')
    expect(await run('validate', '--fix')).toMatchObject({
      exitCode: 1,
      output: expect.stringContaining('web/new.yaml'),
    })
    expect(await text('web/page.yaml')).toBe(before)
  })

  it('works before the first commit', async () => {
    git('update-ref', '-d', 'HEAD')
    expect(await run('bump', 'page', '--tag', '8')).toMatchObject({ output: expect.stringContaining('2 stays') })
    expect(await text('web/page.yaml')).toContain('"docker.io/x/page:8"')
  })

  it('writes nothing through a link that leads out of the deployment', async () => {
    const outside = await mkdtemp(join(tmpdir(), 'graft-outside-'))
    try {
      await writeFile(join(outside, 'page.yaml'), FILES['web/page.yaml'])
      await rm(sandbox.path('site', 'web/page.yaml'))
      await symlink(join(outside, 'page.yaml'), sandbox.path('site', 'web/page.yaml'))
      expect(await run('bump', 'page', '--tag', '8')).toMatchObject({ exitCode: 1 })
      expect(await readFile(join(outside, 'page.yaml'), 'utf8')).toBe(FILES['web/page.yaml'])
    } finally {
      await rm(outside, { recursive: true })
    }
  })

  it('--dry-run writes nothing', async () => {
    const { output } = await run('bump', 'page', '--tag', '8', '--dry-run')
    expect(output).toContain('2 → 3')
    expect(git('status', '--porcelain')).toBe('')
  })

  it.each([
    [['bump'], 'not said what to bump'],
    [['bump', 'page'], 'not said what page is to run'],
    [['bump', 'web'], 'of a set, --version VERSION'],
    [['bump', 'page', '--tag', 'x', '--image', 'y'], 'different wishes'],
    [['bump', 'pgae', '--tag', '8'], 'did you mean page?'],
    [['bump', 'web', '--tag', '8'], 'web is a set'],
    [['bump', 'page', '--version', '8'], 'page is a leaf'],
    [['bump', 'page', '--tag', 'a b'], 'is no tag'],
    [['bump', 'page', '--image', 'A B'], 'is no image'],
    [['bump', 'page', '--tag', '8', '--push'], 'goes with a commit'],
    [['bump', '--changed', 'page'], 'leave the names out'],
  ])('%j: %s', async (args, words) => {
    expect(await run(...args)).toMatchObject({ exitCode: 1, output: expect.stringContaining(words) })
    expect(git('status', '--porcelain')).toBe('')
  })
})

describe('as a commit', () => {
  it('--commit makes one that says what changes', async () => {
    expect(await run('bump', 'web', '--version', '1.5', '--commit')).toMatchObject({ exitCode: 0 })
    expect(git('log', '-1', '--format=%an%n%B')).toBe(
      [
        'Ann Example',
        'Bump web to 1.5',
        '',
        '- web/set.yaml: version 1.4 → 1.5',
        '- api 1 → 2: docker.io/x/api:1.4 → :1.5',
        '- worker 3 → 4: docker.io/x/worker:1.4 → :1.5',
      ].join('\n'),
    )
    expect(git('status', '--porcelain')).toBe('')
    expect(git('fsck', '--strict')).toBe('')
    expect(await run('validate')).toMatchObject({ exitCode: 0 })
  })

  it('never takes along what is not committed', async () => {
    await writeFile(sandbox.path('site', 'web/page.yaml'), `${FILES['web/page.yaml']}environment: {A: b}\r\n`)
    const refused = await run('bump', 'page', '--tag', '8', '--commit')
    expect(refused).toMatchObject({ exitCode: 1, output: expect.stringContaining('not committed') })
    expect(git('rev-list', '--count', 'HEAD')).toBe('1')
  })

  it('--branch makes a branch, and the work tree stays as it is', async () => {
    const made = await run('bump', 'page', '--tag', '8', '--branch', 'page-8', '-m', 'Pages 8', '--json')
    expect(JSON.parse(made.output)).toMatchObject({ branch: 'page-8', commit: { subject: 'Pages 8' }, written: false })
    expect(git('log', '--format=%s', 'main..page-8')).toBe('Pages 8')
    expect(git('rev-parse', '--abbrev-ref', 'HEAD')).toBe('main')
    expect(git('status', '--porcelain')).toBe('')
    git('merge', '-q', '--no-ff', '-m', 'Merge', 'page-8')
    expect(await run('validate')).toMatchObject({ exitCode: 0 })
  })

  it('--changed settles what was committed without a number', async () => {
    sandbox.commit('site', { 'web/page.conf': 'two\n' }, 'Forgotten')
    expect(await run('validate')).toMatchObject({ exitCode: 1 })
    expect(await run('bump', '--changed', '--commit')).toMatchObject({ exitCode: 0 })
    expect(git('log', '-1', '--format=%B')).toBe('Bump page\n\n- page 2 → 3: /etc/page.conf changed')
    expect(await run('validate')).toMatchObject({ exitCode: 0 })
  })

  it('two pull requests that claim one number conflict in Git', async () => {
    await run('bump', 'page', '--tag', '8', '--branch', 'one')
    git('switch', '-q', '-c', 'two')
    await writeFile(sandbox.path('site', 'web/page.conf'), 'two\n')
    await run('bump', '--changed')
    git('commit', '-q', '-am', 'Another file')
    expect(() => git('merge', '-q', 'one')).toThrow()
    expect(git('diff', '--name-only', '--diff-filter=U')).toBe('web/page.yaml')
  })
})

describe('behind a Git server', () => {
  let folder: string
  let server: GitServer

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'graft-bump-'))
    server = await startGitServer({ folder })
  })
  afterAll(async () => {
    await server.stop()
    await rm(folder, { recursive: true })
  })
  beforeEach(async () => {
    await rm(join(folder, 'site.git'), { recursive: true, force: true })
    git('clone', '-q', '--bare', '.', join(folder, 'site.git'))
    git('--git-dir', join(folder, 'site.git'), 'config', 'http.receivepack', 'true')
    git('remote', 'add', 'origin', `${server.url}/site.git`)
  })
  const served = (...args: string[]): string => git('--git-dir', join(folder, 'site.git'), ...args)
  const away = (...args: string[]): Promise<Ran> =>
    graft(folder, [...args, '--repo', `${server.url}/site.git`, '--state', sandbox.path('state')], ANN)

  it('a commit or a branch is pushed, with no work tree at all', async () => {
    expect(await away('bump', 'page', '--tag', '8', '--commit')).toMatchObject({ exitCode: 0 })
    expect(served('log', '-1', '--format=%s', 'main')).toBe('Bump page to 8')
    expect(await away('bump', 'web', '--version', '1.5', '--branch', 'web-1.5')).toMatchObject({ exitCode: 0 })
    expect(served('log', '--format=%s', 'main..web-1.5')).toBe('Bump web to 1.5')
    expect(served('fsck', '--strict')).toBe('')
  })

  it('asks for one of the two', async () => {
    const asked = await away('bump', 'page', '--tag', '8')
    expect(asked).toMatchObject({ exitCode: 1, output: expect.stringContaining('--branch NAME') })
    expect((await away('bump', 'page', '--tag', '8', '--dry-run')).output).toContain('2 → 3')
    expect(await away('validate', '--fix')).toMatchObject({
      exitCode: 1,
      output: expect.stringContaining('no work tree'),
    })
    expect(served('rev-list', '--count', 'main')).toBe('1')
  })

  it('--push brings a branch of a folder to its remote', async () => {
    expect(await run('bump', 'page', '--tag', '8', '--branch', 'page-8', '--push')).toMatchObject({ exitCode: 0 })
    expect(served('rev-parse', 'page-8')).toBe(git('rev-parse', 'page-8'))
  })
})

describe('--digest', () => {
  let folder: string
  let registry: Registry

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'graft-bump-registry-'))
    registry = await startRegistry({ folder })
  })
  afterAll(async () => {
    await registry.stop()
    await rm(folder, { recursive: true })
  })

  it('pins what the registry serves for the tag, and says what it does not have', async () => {
    const [first, second] = [await putImage(registry, 'web', '1', 'one'), await putImage(registry, 'web', '2', 'two')]
    const image = `${registry.address}/web`
    sandbox.commit('site', { 'web/pinned.yaml': `generation: 1\nimage: ${image}\n` }, 'Unpinned')
    await run('bump', 'pinned', '--image', `${image}:1`, '--digest')
    expect(await text('web/pinned.yaml')).toMatch(new RegExp(`^generation: 2 # .*\nimage: ${image}:1@${first}\n$`))
    await run('bump', 'pinned', '--tag', '2', '--digest')
    expect(await text('web/pinned.yaml')).toContain(`image: ${image}:2@${second}\n`)
    expect(await run('bump', 'pinned', '--digest')).toMatchObject({
      exitCode: 0,
      output: expect.stringContaining('nothing to change'),
    })
    const third = await putImage(registry, 'web', '2', 'three')
    await run('bump', 'pinned', '--digest')
    expect(await text('web/pinned.yaml')).toContain(`image: ${image}:2@${third}\n`)
    await valid()
    const before = await text('web/pinned.yaml')
    expect(await run('bump', 'pinned', '--tag', '9', '--digest')).toMatchObject({ exitCode: 1 })
    expect(await text('web/pinned.yaml')).toBe(before)
  })
})

/** The smallest image a registry takes; its digest. */
async function putImage({ url }: Registry, name: string, tag: string, content: string): Promise<string> {
  const config = JSON.stringify({ content })
  const digest = `sha256:${createHash('sha256').update(config).digest('hex')}`
  const started = await fetch(`${url}/v2/${name}/blobs/uploads/`, { method: 'POST' })
  const place = new URL(started.headers.get('location') ?? '', url)
  place.searchParams.set('digest', digest)
  const stored = await fetch(place, {
    method: 'PUT',
    body: config,
    headers: { 'content-type': 'application/octet-stream' },
  })
  const mediaType = 'application/vnd.oci.image.manifest.v1+json'
  const manifest = JSON.stringify({
    schemaVersion: 2,
    mediaType,
    config: { mediaType: 'application/vnd.oci.image.config.v1+json', digest, size: config.length },
    layers: [],
  })
  const put = await fetch(`${url}/v2/${name}/manifests/${tag}`, {
    method: 'PUT',
    body: manifest,
    headers: { 'content-type': mediaType },
  })
  expect([started.status, stored.status, put.status]).toEqual([202, 201, 201])
  return `sha256:${createHash('sha256').update(manifest).digest('hex')}`
}
