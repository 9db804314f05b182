// graft history, trace and diff: the real program on real repositories, on a server too, and the index built by a thread.

import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest'

import { createHistoryIndex } from '../../../src/daemon/history-index.ts'
import { createReader, type Reader } from '../../../src/desired/read.ts'
import { startGitServer } from '../../../src/demo/git-server.ts'
import { openRepository } from '../../../src/repository/open.ts'
import { makeRepository, openSandbox, type Sandbox } from '../../unit/repository/git-sandbox.ts'
import { CHECKED, FOREVER, leaf, setStage, type Stage } from '../stage/stage.ts'
import { graft, type Ran } from './graft.ts'

let sandbox: Sandbox
let state: string
beforeAll(() => {
  sandbox = openSandbox()
  state = mkdtempSync(join(tmpdir(), 'graft-history-'))
  makeRepository(sandbox, 'site')
  const api = (generation: number, debug: string): string =>
    `generation: ${generation}\nimage: kolla/nova-api:\${version}\nenvironment: {DEBUG: "${debug}"}\n`
  const commit = (files: Record<string, string | null>, message: string): string =>
    sandbox.commit('site', files, message)
  commit(
    {
      'deployment.yaml': 'name: openstack\nformat: 1\n',
      'nova/set.yaml': 'version: "2025.1"\n',
      'nova/nova-api.yaml': api(8, '1'),
      'mariadb.yaml': 'generation: 1\nimage: mariadb:11\n',
    },
    'Begin',
  )
  commit({ 'nova/set.yaml': 'version: "2025.2"\n', 'nova/nova-api.yaml': api(9, '1') }, 'Bump nova to 2025.2 (#41)')
  sandbox.git('site', 'tag', 'v1')
  sandbox.git('site', 'checkout', '-q', '-b', 'side')
  commit({ 'nova/nova-api.yaml': api(10, '0') }, 'Quiet nova-api')
  sandbox.git('site', 'checkout', '-q', 'main')
  commit({ 'mariadb.yaml': 'generation: [' }, 'Oops')
  commit({ 'mariadb.yaml': 'generation: 2\nimage: mariadb:12\n' }, 'Another database')
  sandbox.git('site', 'merge', '-q', '--no-ff', 'side', '-m', 'Merge pull request #42 from acme/side')
  sandbox.git('site', 'remote', 'add', 'origin', 'git@github.com:acme/site.git')
})
afterAll(() => {
  sandbox.remove()
  rmSync(state, { recursive: true, force: true })
})

const run = (...args: string[]): Promise<Ran> => graft(sandbox.path('site'), [...args, '--state', state])
const linesOf = ({ output }: Ran): string[] => output.split('\n').filter((line) => line !== '')

describe('history', () => {
  it('of a leaf agrees with git log along first parents', async () => {
    const { exitCode, output } = await run('history', 'nova-api')
    expect(exitCode).toBe(0)
    const shown = [...output.matchAll(/ ([0-9a-f]{7})  +(.*)$/gm)].map(([, id, rest]) => `${id} ${rest}`)
    const native = sandbox.git(
      'site',
      'log',
      '--first-parent',
      '--format=%h %s',
      '--abbrev=7',
      '--',
      'nova/nova-api.yaml',
    )
    expect(shown.map((line) => line.replace(/(\d+ → |new )\d+ {2}/, ''))).toEqual(native.split('\n'))
    expect(shown.map((line) => /(\d+ → |new )\d+/.exec(line)?.[0])).toEqual(['9 → 10', '8 → 9', 'new 8'])
  })

  it('goes page by page, as data too, and from a server as from a folder', async () => {
    const first = await run('history', '--limit', '2')
    const before = /--before ([0-9a-f]+)/.exec(first.output)?.[1] ?? ''
    const second = await run('history', '--before', before, '--limit', '10')
    expect(second.output).toContain('does not read; it changed nothing')
    expect(second.output).toContain('Begin')
    expect(second.output).not.toContain('older:')
    const server = await startGitServer({ folder: sandbox.folder })
    try {
      const remote = await run('history', 'mariadb', '--json', '--repo', `${server.url}/site/.git`, '--ref', 'main')
      const local = await run('history', 'mariadb', '--json')
      expect(JSON.parse(remote.output)).toEqual(JSON.parse(local.output))
      expect(JSON.parse(local.output)).toMatchObject({
        node: { kind: 'leaf', name: 'mariadb', generation: 2 },
        entries: [{ leaves: [{ from: 1, to: 2 }] }, { reads: false }, { leaves: [{ how: 'added' }] }],
        next: null,
        complete: true,
      })
    } finally {
      await server.stop()
    }
  })

  it('says what is wrong in words', async () => {
    expect(await run('history', 'nova-apo')).toEqual({
      exitCode: 1,
      output: 'graft: openstack never had a leaf or a set nova-apo\n  → did you mean nova-api?\n',
    })
    expect((await run('history', '--limit', 'many')).output).toContain('is not a number of commits')
    expect((await run('history', '--before', 'side')).output).toContain('is not among the first parents')
    expect((await run('history', '--before', 'nosuch')).exitCode).toBe(1)
  })
})

describe('diff', () => {
  it('compares what it is asked to compare', async () => {
    const last = await run('diff')
    expect(last.exitCode).toBe(2)
    expect(linesOf(last).slice(2)).toEqual(['~ nova/nova-api  9 → 10', '    environment.DEBUG  1 → 0', '1 changed'])
    for (const args of [['v1~1..v1'], ['v1~1', 'v1']]) {
      const { output } = await run('diff', ...args)
      expect(output).toContain('~ nova/nova-api  8 → 9')
      expect(output).toContain('image  kolla/nova-api:2025.1 → kolla/nova-api:2025.2')
    }
    expect((await run('diff', 'v1', 'mariadb')).output).toContain('~ mariadb  1 → 2')
    expect((await run('diff', 'v1', 'mariadb')).output).not.toContain('nova-api')
    expect(await run('diff', 'main..main')).toMatchObject({ exitCode: 0 })
    expect((await run('diff', 'nova')).output).toContain('9 → 10')
    expect(JSON.parse((await run('diff', 'v1..', '--json')).output)).toMatchObject({
      leaves: [{ leaf: 'mariadb' }, { leaf: 'nova-api' }],
    })
  })

  it('says what is wrong in words', async () => {
    const broken = await run('diff', 'main~2..main')
    expect(broken).toMatchObject({ exitCode: 1 })
    expect(broken.output).toContain('Oops')
    expect(broken.output).toContain('mariadb.yaml:1')
    expect((await run('diff', 'nosuch')).output).toContain(
      'nosuch is no commit, and openstack never had a leaf or a set nosuch',
    )
    expect((await run('diff', 'v1', 'main', 'nova', 'more')).output).toContain('one too many')
    expect((await run('diff', 'v1...main')).output).toContain('write v1..main')
  })
})

describe('trace', () => {
  it('of a leaf needs no engine', async () => {
    const { exitCode, output } = await run('trace', 'nova-api', '--engine', 'unix:///nonexistent.sock')
    expect(exitCode).toBe(0)
    expect(output).toContain('not known: ')
    expect(output).toMatch(/^commit +[0-9a-f]{7} Merge pull request #42 from acme\/side/m)
    expect(output).toMatch(/^merged +[0-9a-f]{7} Quiet nova-api/m)
    expect(output).toMatch(/^request +#42 {2}https:\/\/github.com\/acme\/site\/pull\/42$/m)
    expect(output).toMatch(/^file +nova\/nova-api.yaml:1$/m)
    expect(await run('trace', 'nosuch', '--engine', 'unix:///nonexistent.sock')).toMatchObject({ exitCode: 1 })
  })

  describe('of a container', () => {
    let stage: Stage
    beforeAll(async () => {
      stage = await setStage({ engineUrl: inject('engineUrl') })
      await stage.commit(
        { 'web/set.yaml': '{}', 'web/page.yaml': leaf(3, `touch /tmp/ok; ${FOREVER}`, CHECKED) },
        'Page 3 (#7)',
      )
    })
    afterAll(async () => {
      await stage.end()
    })

    it('finds it by its name and by its id', async () => {
      const wish = await stage.wish()
      const { reconciler } = stage.reconciler()
      await reconciler.settle(wish, new AbortController().signal)
      const { id = '' } = (await stage.containers())['page'] ?? {}
      const { name = '' } = (await stage.engine.inspect(id)) ?? {}
      const home = mkdtempSync(join(tmpdir(), 'graft-trace-'))
      try {
        for (const asked of [name, id.slice(0, 10), 'page']) {
          const args = ['trace', asked, '--json', '--engine', inject('engineUrl'), '--state', home]
          const ran = await graft(stage.repo, args)
          expect(JSON.parse(ran.output)).toMatchObject({
            leaf: 'page',
            set: 'web',
            generation: 3,
            declared: 3,
            container: { id, name, role: 'live', state: 'running' },
            introduced: { subject: 'Page 3 (#7)' },
            place: { file: 'web/page.yaml', line: 1 },
            pullRequest: { number: 7, kind: 'pull', link: null },
          })
        }
      } finally {
        rmSync(home, { recursive: true, force: true })
      }
    })
  })
})

describe('a long history', () => {
  it('is read by a thread alone, and gives what is read here', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'graft-long-'))
    try {
      const git = (input: string, ...args: string[]): string =>
        execFileSync('git', args, { cwd: folder, input, encoding: 'utf8' })
      git('', 'init', '-q', '-b', 'main')
      const commits = Array.from({ length: 120 }, (_, number) => {
        const text = number === 60 ? 'generation: [' : `generation: ${number + 1}\nimage: app:${number + 1}\n`
        const subject = `Commit ${number}`
        const file = (path: string, content: string): string =>
          `M 100644 inline ${path}\ndata ${content.length}\n${content}\n`
        const files = [
          ...(number === 0 ? [file('deployment.yaml', 'name: long\nformat: 1\n')] : []),
          file(`web-${number % 3}.yaml`, text),
        ]
        const who = `committer Ann <ann@example.org> ${1_700_000_000 + number} +0000`
        return `commit refs/heads/main\n${who}\ndata ${subject.length}\n${subject}\n${files.join('')}\n`
      })
      git(commits.join(''), 'fast-import', '--quiet')
      const repository = await openRepository({ repo: folder, cache: join(folder, '.git', 'cache') })
      const tip = (await repository.refresh()).commit.id
      const idle: Reader = {
        read: () => {
          throw new Error('the thread did not read it')
        },
      }
      const apart = await createHistoryIndex(repository, idle, null).along(tip)
      const here = await createHistoryIndex(repository, createReader(), null, { apartFrom: Infinity }).along(tip)
      expect(apart).toEqual(here)
      expect(here.commits).toHaveLength(120)
      expect(here.commits.filter(({ reads }) => !reads).length).toBeGreaterThan(0)
      await repository.close()
    } finally {
      rmSync(folder, { recursive: true, force: true })
    }
  })
})
