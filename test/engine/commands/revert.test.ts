// graft revert: the real program, in folders and behind a real Git server; native Git is the other side: it makes what
// graft takes back, takes back what graft made, and checks every object.

import { chmod, mkdir, mkdtemp, readdir, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'

import { startGitServer, type GitServer } from '../../../src/demo/git-server.ts'
import { openSandbox, type Sandbox } from '../../unit/repository/git-sandbox.ts'
import { graft, type Ran } from './graft.ts'

const API = '# the API\ngeneration: 1\nimage: docker.io/x/api:${version} # built by CI\n'
const PAGE = 'generation: 2\nimage: docker.io/x/page:7\nfiles: {/etc/page.conf: ./page.conf}\n'
const FILES = {
  'deployment.yaml': 'name: shop\nformat: 1\n',
  'web/set.yaml': '# the web\nversion: "1.4"\n',
  'web/api.yaml': API,
  'web/page.yaml': PAGE,
  'web/page.conf': 'one\n',
  'db.yaml': 'generation: 1\nimage: docker.io/x/db:1\n',
}
const PAGE_8 = PAGE.replace('2', '3').replace(':7', ':8')
const ANN = { GIT_AUTHOR_NAME: 'Ann Example', GIT_AUTHOR_EMAIL: 'ann@example.org' }

let sandbox: Sandbox
let run: (...args: string[]) => Promise<Ran>
const git = (...args: string[]): string => sandbox.git('site', ...args)
const commit = (files: Readonly<Record<string, string | null>>, message: string): string =>
  sandbox.commit('site', files, message)
const tree = (commit: string): string => git('rev-parse', `${commit}^{tree}`)
const message = (commit = 'HEAD'): string => git('log', '-1', '--format=%B', commit)

/** What graft left behind is sound, checked out and valid. */
async function sound(): Promise<void> {
  expect(git('fsck', '--strict')).toBe('')
  expect(git('status', '--porcelain')).toBe('')
  expect(await run('validate')).toMatchObject({ exitCode: 0 })
}

async function done(...args: string[]): Promise<string> {
  const { exitCode, output } = await run('revert', ...args)
  expect(exitCode, output).toBe(0)
  return output
}

async function refused(...args: string[]): Promise<string> {
  const head = git('rev-parse', 'HEAD')
  const { exitCode, output } = await run('revert', ...args)
  expect(exitCode, output).toBe(1)
  expect(git('rev-parse', 'HEAD')).toBe(head)
  return output
}

beforeEach(async () => {
  sandbox = openSandbox()
  await mkdir(sandbox.path('site'))
  git('init', '-q', '-b', 'main')
  commit(FILES, 'A first deployment')
  run = (...args) => graft(sandbox.path('site'), [...args, '--state', sandbox.path('state')], ANN)
  return () => sandbox.remove()
})

describe('a commit', () => {
  it('is taken back to the very tree before it, with a message like that of git revert', async () => {
    const bad = commit({ 'web/page.yaml': PAGE_8 }, 'Bump page to 8')
    expect(await done(bad.slice(0, 8), '-m', 'It loses sessions.')).toContain('3 → 2')
    expect(message()).toBe(
      [
        'Revert "Bump page to 8"',
        '',
        `This reverts commit ${bad}.`,
        '',
        'It loses sessions.',
        '',
        '- page 3 → 2: docker.io/x/page:8 → :7',
      ].join('\n'),
    )
    expect(git('log', '-1', '--format=%an')).toBe('Ann Example')
    expect(tree('HEAD')).toBe(tree(`${bad}^`))
    await sound()
  })

  it('of graft is taken back by git revert, and one of git revert by graft', async () => {
    expect(await run('bump', 'page', '--tag', '8', '--commit')).toMatchObject({ exitCode: 0 })
    const bumped = tree('HEAD')
    git('revert', '--no-edit', 'HEAD')
    expect(tree('HEAD')).toBe(tree('HEAD~2'))
    await sound()
    await done('HEAD')
    expect(message()).toMatch(/^Reapply "Bump page to 8"\n\nThis reverts commit [0-9a-f]{40}\.\n/)
    expect(tree('HEAD')).toBe(bumped)
    await sound()
    git('revert', '--no-edit', 'HEAD')
    expect(tree('HEAD')).toBe(tree('HEAD~2'))
    expect(await done('HEAD~3')).toContain('nothing to take back')
  })

  it('that is taken back already needs nothing', async () => {
    const bad = commit({ 'web/page.yaml': PAGE_8 }, 'Bump page to 8')
    await done(bad)
    expect(await done(bad)).toContain('nothing to take back')
    expect(git('rev-list', '--count', 'HEAD')).toBe('3')
  })

  it('that merged a branch is taken back against the first parent', async () => {
    git('switch', '-q', '-c', 'side')
    const side = commit({ 'web/page.yaml': PAGE_8 }, 'Bump page to 8')
    commit({ 'web/page.conf': 'two\n', 'web/page.yaml': PAGE_8.replace('3', '4') }, 'Another file')
    git('switch', '-q', 'main')
    commit({ 'db.yaml': 'generation: 2\nimage: docker.io/x/db:2\n' }, 'Bump db')
    git('merge', '-q', '--no-ff', '-m', 'Merge side', 'side')
    const merge = git('rev-parse', 'HEAD')
    await done('HEAD')
    expect(message()).toContain(
      `This reverts commit ${merge}, reversing\nchanges made to ${git('rev-parse', 'HEAD~2')}.`,
    )
    expect(tree('HEAD')).toBe(tree('HEAD~2'))
    await sound()
    await done('HEAD')
    expect(tree('HEAD')).toBe(tree(merge))
    await sound()
    // One commit of the side line, which a later one of it touched again.
    expect(await refused(side)).toContain('web/page.yaml')
  })

  it('that moved, deleted and made files executable is taken back, folders and modes with it', async () => {
    await chmod(sandbox.path('site', 'web/page.conf'), 0o755)
    commit(
      { 'web/deep/set.yaml': '{}\n', 'web/deep/job.yaml': 'kind: job\ngeneration: 1\nimage: docker.io/x/j:1\n' },
      'Job',
    )
    git('mv', 'web/page.yaml', 'page.yaml')
    git('mv', 'web/page.conf', 'page.conf')
    git('rm', '-q', '-r', 'web/deep')
    const away = commit({}, 'Move and clear up')
    await done(away)
    expect(tree('HEAD')).toBe(tree(`${away}^`))
    expect((await stat(sandbox.path('site', 'web/page.conf'))).mode & 0o111).not.toBe(0)
    await sound()
    git('revert', '--no-edit', 'HEAD')
    expect(tree('HEAD')).toBe(tree(away))
    await done('HEAD')
    await done('HEAD~4')
    expect(tree('HEAD')).toBe(tree('HEAD~6'))
    expect(await readdir(sandbox.path('site', 'web'))).not.toContain('deep')
    await sound()
  })

  it('whose files were touched since is refused, and those commits are named', async () => {
    const bad = commit({ 'web/page.yaml': PAGE_8, 'db.yaml': 'generation: 2\nimage: docker.io/x/db:2\n' }, 'Both')
    const later = commit({ 'web/page.yaml': PAGE_8.replace('3', '4').replace(':8', ':9') }, 'Bump page to 9')
    const output = await refused(bad)
    expect(output).toContain('web/page.yaml')
    expect(output).toContain(`${later.slice(0, 7)} “Bump page to 9”`)
    expect(output).toContain(`graft revert ${later.slice(0, 7)}`)
    expect(output).not.toContain('db.yaml')
    const json = JSON.parse((await run('revert', bad, '--json')).output) as object
    expect(json).toMatchObject({ ok: false, problems: [{ file: 'web/page.yaml' }] })
    await done(later)
    await done(bad)
    expect(tree('HEAD')).toBe(tree(`${bad}^`))
    await sound()
  })

  it('gives new numbers where the old ones would mean something else', async () => {
    const tuned = commit({ 'web/page.yaml': PAGE_8 }, 'Bump page to 8')
    const shared = 'version: "1.4"\ndefaults: {environment: {A: b}}\n'
    expect(await run('validate')).toMatchObject({ exitCode: 0 })
    await writeFile(sandbox.path('site', 'web/set.yaml'), shared)
    commit({}, 'Only the defaults')
    const output = await done(tuned)
    expect(output).toContain('3 → 4')
    expect(await readPage()).toMatch(/^generation: 4 # [0-9a-f]{7}\nimage: docker.io\/x\/page:7\n/)
    // What was forgotten before is somebody else's business.
    expect(git('show', 'HEAD:web/api.yaml')).toBe(API.trim())
    expect(git('diff', '--name-only', 'HEAD~1')).toBe('web/page.yaml')
  })

  it('that does not read is taken back, even one of several', async () => {
    const first = commit({ 'web/page.yaml': `${PAGE}nonsense: 1\n` }, 'Break page')
    const second = commit({ 'db.yaml': 'image: docker.io/x/db:1\n' }, 'Break db')
    expect(await done(first)).toContain('still does not read')
    expect(await done(second)).not.toContain('does not read')
    expect(tree('HEAD')).toBe(tree(`${first}^`))
    await sound()
  })

  it('that others came to depend on is refused with what would not read', async () => {
    const added = commit({ 'web/set.yaml': 'version: "1.4"\nvariables: {level: "1"}\n' }, 'A variable')
    commit(
      {
        'db.yaml': 'generation: 1\nimage: docker.io/x/db:1\n',
        'web/new.yaml': 'generation: 1\nimage: docker.io/x/new:${level}\n',
      },
      'Use it',
    )
    const output = await refused(added)
    expect(output).toContain(`would not read without ${added.slice(0, 7)}`)
    expect(output).toContain('web/new.yaml')
  })

  it('of another branch, the first one, and one that changed nothing are refused in words', async () => {
    expect(await refused(git('rev-parse', 'HEAD'))).toContain('the first commit')
    git('switch', '-q', '-c', 'other')
    const other = commit({ 'web/page.yaml': PAGE_8 }, 'Elsewhere')
    git('switch', '-q', 'main')
    expect(await refused(other)).toContain('not part of')
    expect(await refused(commit({}, 'Nothing'))).toContain('changed no file')
    expect(await refused('nope')).toContain('nope is no commit')
    expect(await refused('HEAD', '--to', '3')).toContain('--to goes with a leaf or a set')
  })

  it('is not taken back over what is not committed', async () => {
    const bad = commit({ 'web/page.yaml': PAGE_8 }, 'Bump page to 8')
    await writeFile(sandbox.path('site', 'web/page.yaml'), `${PAGE_8}environment: {A: b}\n`)
    expect(await refused(bad)).toContain('not committed')
    expect(await readPage()).toContain('A: b')
  })

  it('with a deployment in a folder leaves the rest alone, and says so', async () => {
    await mkdir(sandbox.path('site', 'deploy'))
    git('mv', 'web', 'db.yaml', 'deployment.yaml', 'deploy')
    commit({ 'README.md': 'one\n' }, 'Into a folder')
    const bad = commit({ 'deploy/web/page.yaml': PAGE_8, 'README.md': 'two\n' }, 'Both')
    await done(bad, '--path', 'deploy')
    expect(git('diff', '--name-only', `${bad}^`, 'HEAD')).toBe('README.md')
    expect(message()).toContain('1 file elsewhere')
    expect(await run('validate', '--path', 'deploy')).toMatchObject({ exitCode: 0 })
  })
})

const readPage = async (): Promise<string> => {
  const { readFile } = await import('node:fs/promises')
  return readFile(sandbox.path('site', 'web/page.yaml'), 'utf8')
}

describe('a leaf', () => {
  beforeEach(() => {
    commit({ 'web/page.yaml': PAGE_8 }, 'Bump page to 8')
    commit({ 'web/page.yaml': PAGE_8.replace('3', '4'), 'web/page.conf': 'two\n' }, 'Another file')
    commit({ 'db.yaml': 'generation: 2\nimage: docker.io/x/db:2\n' }, 'Bump db')
  })

  it('goes back before its last change, with what it mounts, and nothing else', async () => {
    await done('page', '-m', 'It was better before.')
    expect(git('diff', '--name-only', 'HEAD~1').split('\n')).toEqual(['web/page.conf', 'web/page.yaml'])
    expect(git('diff', 'HEAD~3', 'HEAD', '--', 'web')).toBe('')
    expect(message()).toBe(
      [
        'Revert page to generation 3',
        '',
        `As it was at commit ${git('rev-parse', 'HEAD~3')}`,
        '("Bump page to 8").',
        '',
        'This takes back:',
        `- ${git('rev-parse', 'HEAD~2').slice(0, 7)} Another file`,
        '',
        'It was better before.',
        '',
        '- page 4 → 3: /etc/page.conf changed',
      ].join('\n'),
    )
    await sound()
  })

  it('goes back to a generation, and from there to a later one', async () => {
    await done('page', '--to', '2')
    expect(await readPage()).toBe(PAGE)
    await sound()
    await done('page', '--to', '4')
    expect(git('diff', 'HEAD~2', 'HEAD')).toBe('')
    expect(await refused('page', '--to', '9')).toContain('it had 2, 3, 4')
    expect(await done('page', '--to', '4')).toContain('nothing to take back')
  })

  it('goes back to a commit, comes back where it was deleted, and to where it lay', async () => {
    git('rm', '-q', 'web/page.yaml', 'web/page.conf')
    commit({}, 'No pages')
    expect(await done('page')).toContain('+')
    expect(await readPage()).toBe(PAGE_8.replace('3', '4'))
    git('mv', 'web/page.yaml', 'page.yaml')
    commit({ 'page.yaml': PAGE_8.replace('3', '5').replace('./page', './web/page') }, 'Move it')
    await done('page', '--to', 'HEAD~1')
    expect(git('diff', '--name-only', 'HEAD~2')).toBe('')
    await sound()
  })

  it('is not brought back with what others share, but its set is', async () => {
    commit(
      { 'web/api.yaml': `${API.replace('1', '2')}files: {/etc/page.conf: ./page.conf}\n` },
      'The API mounts it, too',
    )
    const output = await refused('page', '--to', '3')
    expect(output).toContain('api would change with page')
    expect(output).toContain('graft revert web --to')
  })

  it('whose version a set says is not brought back alone, and it is said what would', async () => {
    await run('bump', 'web', '--version', '1.5', '--commit')
    const bump = git('rev-parse', '--short=7', 'HEAD')
    const output = await refused('api')
    expect(output).toContain('image')
    expect(output).toContain('web/set.yaml')
    expect(output).toContain(`graft revert ${bump}`)
    await done(bump)
    expect(git('show', 'HEAD:web/api.yaml')).toBe(API.trim())
    await sound()
  })

  it('that came with its last commit, or had another name, is refused in words', async () => {
    commit({ 'web/new.yaml': 'generation: 1\nimage: docker.io/x/new:1\n' }, 'New')
    expect(await refused('new')).toContain('new was not there before')
    git('mv', 'web/new.yaml', 'web/newer.yaml')
    commit({ 'web/newer.yaml': 'generation: 1\nimage: docker.io/x/new:1\nrenamed_from: new\n' }, 'Rename')
    expect(await refused('newer')).toContain('newer was called new before')
  })
})

describe('a set', () => {
  it('goes back to a tag, for a pull request, and the whole deployment does', async () => {
    git('tag', 'v1')
    await run('bump', 'web', '--version', '1.5', '--commit')
    commit(
      {
        'web/new.yaml': 'generation: 1\nimage: docker.io/x/new:1\n',
        'db.yaml': 'generation: 2\nimage: docker.io/x/db:2\n',
      },
      'New',
    )
    const shown = JSON.parse((await run('revert', 'web', '--to', 'v1', '--dry-run', '--json')).output) as object
    expect(shown).toMatchObject({
      format: 1,
      reverted: { kind: 'set', name: 'web', takesBack: [{ subject: 'New' }, { subject: 'Bump web to 1.5' }] },
      leaves: [
        { leaf: 'api', from: 2, to: 1 },
        { leaf: 'new', how: 'removed' },
      ],
      files: ['web/new.yaml', 'web/api.yaml', 'web/set.yaml'],
      commit: null,
    })
    expect(git('rev-list', '--count', 'HEAD')).toBe('3')
    await done('web', '--to', 'v1', '--branch', 'back')
    expect(git('diff', 'v1', 'back', '--name-only')).toBe('db.yaml')
    expect(git('rev-parse', '--abbrev-ref', 'HEAD')).toBe('main')
    git('merge', '-q', '--no-ff', '-m', 'Merge back', 'back')
    await sound()
    await done('.', '--to', 'v1')
    expect(tree('HEAD')).toBe(tree('v1'))
    await sound()
    expect(await refused('web', '--to', '3')).toContain('only a leaf has generations')
  })

  it('goes back before its last change', async () => {
    await run('bump', 'web', '--version', '1.5', '--commit')
    commit({ 'db.yaml': 'generation: 2\nimage: docker.io/x/db:2\n' }, 'Bump db')
    await done('web')
    expect(git('diff', 'HEAD~3', 'HEAD', '--name-only')).toBe('db.yaml')
    await sound()
  })
})

describe('behind a Git server', () => {
  let folder: string
  let server: GitServer

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'graft-revert-'))
    server = await startGitServer({ folder })
  })
  afterAll(async () => {
    await server.stop()
    await rm(folder, { recursive: true })
  })
  beforeEach(async () => {
    commit({ 'web/page.yaml': PAGE_8 }, 'Bump page to 8')
    await rm(join(folder, 'site.git'), { recursive: true, force: true })
    git('clone', '-q', '--bare', '.', join(folder, 'site.git'))
    git('--git-dir', join(folder, 'site.git'), 'config', 'http.receivepack', 'true')
    git('remote', 'add', 'origin', `${server.url}/site.git`)
  })
  const served = (...args: string[]): string => git('--git-dir', join(folder, 'site.git'), ...args)

  it('a revert is pushed with no work tree at all, to the branch or to another one', async () => {
    const away = (...args: string[]): Promise<Ran> =>
      graft(folder, [...args, '--repo', `${server.url}/site.git`, '--state', sandbox.path('state')], ANN)
    expect(await away('revert', 'page')).toMatchObject({ exitCode: 0 })
    expect(served('log', '-1', '--format=%s', 'main')).toBe('Revert page to generation 2')
    expect(served('rev-parse', 'main^{tree}')).toBe(tree('HEAD~1'))
    expect(await away('revert', 'main', '--branch', 'again')).toMatchObject({ exitCode: 0 })
    expect(served('rev-parse', 'again^{tree}')).toBe(tree('HEAD'))
    expect(served('fsck', '--strict')).toBe('')
  })

  it('--push brings a revert in a folder to its remote', async () => {
    await done('HEAD', '--push')
    expect(served('rev-parse', 'main')).toBe(git('rev-parse', 'HEAD'))
    expect(served('rev-parse', 'main^{tree}')).toBe(tree('HEAD~2'))
  })
})
