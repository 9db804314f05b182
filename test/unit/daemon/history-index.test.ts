// The index of what each commit claims: it grows with each commit, survives what a crash leaves of its file, and never
// forgets a part of the history.

import { appendFileSync, readFileSync, rmSync, writeFileSync } from 'node:fs'

import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'

import { accept } from '../../../src/daemon/accept.ts'
import { createHistoryIndex, type HistoryIndex } from '../../../src/daemon/history-index.ts'
import { ledgerEntries } from '../../../src/desired/ledger.ts'
import { NO_POLICY } from '../../../src/desired/policy.ts'
import { createReader } from '../../../src/desired/read.ts'
import { RepositoryFault } from '../../../src/repository/repository.ts'
import { leaf } from '../plan/build.ts'
import { nativeRepository, type NativeRepository } from './native-repository.ts'

// Many runs each; a busy machine takes its time.
vi.setConfig({ testTimeout: 60_000 })

let repository: NativeRepository
let file: string
beforeEach(() => {
  repository = nativeRepository()
  file = repository.sandbox.path('.git', 'history.jsonl')
})
afterEach(() => {
  repository.sandbox.remove()
  rmSync(file, { force: true })
})

const open = (kept: string | null = file) => createHistoryIndex(repository, createReader(), kept)
const generations = async (index: HistoryIndex, commit: string, name = 'web') =>
  ledgerEntries((await index.at(commit)).ledger, name, null).map(({ generation }) => generation)

function commits(count: number): string[] {
  return Array.from({ length: count }, (_, i) => repository.commit({ web: leaf(i + 1) }, `web ${i + 1}`))
}

describe('the index', () => {
  it('reads each commit once, and after a restart only what is new', async () => {
    const [, , third = ''] = commits(3)
    expect(await generations(open(), third)).toEqual([1, 2, 3])
    repository.snapshotsTaken()
    const fourth = repository.commit({ web: leaf(4) })
    const again = open()
    expect(await generations(again, third)).toEqual([1, 2, 3])
    expect(repository.snapshotsTaken()).toBe(0)
    expect(await generations(again, fourth)).toEqual([1, 2, 3, 4])
    expect(repository.snapshotsTaken()).toBeLessThanOrEqual(2)
  })

  it('can be deleted at any time', async () => {
    const [, second = ''] = commits(2)
    await open().at(second)
    rmSync(file)
    expect(await generations(open(), second)).toEqual([1, 2])
  })

  it('loses nothing when a crash cut its last line and more was written behind', async () => {
    const [, , third = ''] = commits(3)
    await open().at(third)
    const text = readFileSync(file, 'utf8')
    for (const cut of [1, 40, text.length - text.indexOf('\n') - 5]) {
      writeFileSync(file, text.slice(0, -cut))
      const fourth = repository.commit({ web: leaf(4) })
      expect(await generations(open(), fourth)).toEqual([1, 2, 3, 4])
      // And once more, from what is in the file now.
      expect(await generations(open(), fourth)).toEqual([1, 2, 3, 4])
      repository.git('reset', '-q', '--hard', third)
    }
  })

  it('loses nothing when a line in its middle is gone, or is nonsense', async () => {
    const [, , , fourth = ''] = commits(4)
    await open().at(fourth)
    const lines = readFileSync(file, 'utf8').split('\n')
    for (const replacement of [[], ['{"id": 1'], ['null'], ['{}']]) {
      const broken = [...lines]
      broken.splice(3, 1, ...replacement)
      writeFileSync(file, broken.join('\n'))
      expect(await generations(open(), fourth)).toEqual([1, 2, 3, 4])
    }
    appendFileSync(file, 'x')
    writeFileSync(file, '{"version": 0}\n')
    expect(await generations(open(), fourth)).toEqual([1, 2, 3, 4])
  })

  it('loses nothing when the repository fails half way', async () => {
    const [first = '', , third = ''] = commits(3)
    const index = open()
    await index.at(first)
    repository.fail(new RepositoryFault('timeout', 'it hangs', ''))
    await expect(index.at(third)).rejects.toThrow('it hangs')
    repository.fail(null)
    expect(await generations(index, third)).toEqual([1, 2, 3])
    expect(await generations(open(), third)).toEqual([1, 2, 3])
  })

  it('remembers what a leaf that is gone said last, and passes over commits that do not read', async () => {
    repository.commit({ web: leaf(1), db: leaf(1, 'prune: false\ndepends_on: [web]') })
    repository.commit({ web: 'generation: [' }, 'broken')
    const last = repository.commit({ web: leaf(1), db: null })
    const { departed, ledger } = await open().at(last)
    expect(departed.get('db')).toEqual({ prune: false, dependencies: ['web'] })
    expect(ledgerEntries(ledger, 'web', null)).toHaveLength(1)
  })

  it('finds the newest commit that reads', async () => {
    const good = repository.commit({ web: leaf(1) })
    const bad = repository.commit({ web: 'generation: [' })
    const worse = repository.commit({ web: 'image: 3' })
    const index = open(null)
    expect(await index.lastReadable(worse)).toBe(good)
    expect(await index.lastReadable(bad)).toBe(good)
    expect(await index.lastReadable(good)).toBe(good)
  })
})

describe('a commit is judged', () => {
  const judge = async (commit: string, index = open(null)) => {
    const { refused } = await accept(await repository.snapshot(commit), commit, {
      reader: createReader(),
      history: index,
      policy: NO_POLICY,
      allowPrivileged: true,
      hostVariables: null,
      deepen: () => repository.deepen(),
    })
    return refused.get('web')?.message ?? null
  }

  it('by what its first parents claimed', async () => {
    const [first = ''] = commits(3)
    const again = repository.commit({ web: leaf(3, 'environment: {NEW: x}') })
    expect(await judge(again)).toMatch(
      /^generation 3 of web already means another spec since commit [0-9a-f]{7} “web 3”/,
    )
    repository.git('reset', '-q', '--hard', 'HEAD~1')
    const lower = repository.commit({ web: leaf(2, 'environment: {NEW: x}') })
    expect(await judge(lower)).toMatch(/^generation 2 of web already means another spec/)
    repository.git('reset', '-q', '--hard', 'HEAD~1')
    expect(await judge(repository.commit({ web: leaf(1) }, 'back'))).toBeNull()
    expect(await judge(first)).toBeNull()
  })

  it('also by what the side line of a merge claimed', async () => {
    repository.commit({ web: leaf(1) })
    repository.git('checkout', '-q', '-b', 'side')
    repository.commit({ web: leaf(5) }, 'deployed from the side')
    repository.git('checkout', '-q', 'main')
    repository.commit({ web: leaf(7) })
    repository.git('merge', '-q', '-s', 'ours', 'side', '-m', 'merge')
    expect(await judge(repository.commit({ web: leaf(5) }, 'back to what the side had'))).toBeNull()
    repository.git('reset', '-q', '--hard', 'HEAD~1')
    expect(await judge(repository.commit({ web: leaf(6) }))).toMatch(/^generation 6 of web is below 7/)
  })

  it('never where the history is cut short and cannot be fetched whole', async () => {
    const [, second = '', third = ''] = commits(3)
    repository.cutBelow(second)
    const { refused } = await accept(await repository.snapshot(third), third, {
      reader: createReader(),
      history: open(null),
      policy: NO_POLICY,
      allowPrivileged: true,
      hostVariables: null,
      deepen: () => Promise.resolve(false),
    })
    expect(refused.get('web')?.message).toContain('the clone is shallow')
    expect(await judge(third)).toBeNull()
  })

  it('and what was read of a shallow history is not kept', async () => {
    const [, second = '', third = ''] = commits(3)
    repository.cutBelow(second)
    expect((await open().at(third)).complete).toBe(false)
    expect((await open().at(third)).complete).toBe(false)
    repository.cutBelow(null)
    expect(await generations(open(), third)).toEqual([1, 2, 3])
  })
})

describe('a long stretch of history', () => {
  it('read in a thread of its own gives what is read here', async () => {
    repository.commit({ web: leaf(1), 'db/set.yaml': '{}', 'db/base.yaml': leaf(1, 'files: {/x: ./x}'), 'db/x': 'one' })
    repository.commit({ web: 'generation: [' }, 'broken')
    repository.commit({ web: leaf(2), 'db/x': 'two' })
    repository.commit({ 'db/base.yaml': null, 'db/x': null, base: leaf(1) }, 'moved')
    repository.commit({
      'db/set.yaml': 'description: no more\n',
      'deployment.yaml': 'name: shop\nformat: 1\nprefix: x-\n',
    })
    const tip = repository.commit({ web: leaf(3), aa: leaf(1) })
    const here = await createHistoryIndex(repository, createReader(), null).along(tip)
    const apart = createHistoryIndex(repository, createReader(), file, { apartFrom: 1 })
    expect(await apart.along(tip)).toEqual(here)
    expect(here.commits).toHaveLength(7)
    // What was read so far is the ground for what comes, in the same process and in the next.
    const more = repository.commit({ web: leaf(4) })
    const fresh = await createHistoryIndex(repository, createReader(), null).along(more)
    expect(await apart.along(more)).toEqual(fresh)
    expect(await createHistoryIndex(repository, createReader(), file, { apartFrom: 1 }).along(more)).toEqual(fresh)
  })

  it('takes what was read already, so that the next commit needs nothing else', async () => {
    const known = async (id: string) => {
      const snapshot = await repository.snapshot(id)
      const { tree } = createReader().read(snapshot, { host: null })
      if (tree === null) throw new Error('it does not read')
      return { snapshot, tree }
    }
    const [, second = ''] = commits(2)
    const index = createHistoryIndex(repository, createReader(), null, { apartFrom: 1 })
    await index.at(second, await known(second))
    const third = repository.commit({ web: leaf(3) })
    const reading = await known(third)
    repository.snapshotsTaken()
    const fresh = createHistoryIndex(repository, createReader(), null, { apartFrom: 10 })
    await fresh.at(second, await known(second))
    repository.snapshotsTaken()
    await fresh.at(third, reading)
    expect(repository.snapshotsTaken()).toBe(0)
    await index.at(third, reading)
    expect((await index.along(third)).commits[0]?.touched).toMatchObject([{ leaf: 'web', from: 2, to: 3, how: 'spec' }])
    expect(await index.along(third)).toEqual(await fresh.along(third))
  })

  it('goes on after a commit that does not read', async () => {
    repository.commit({ web: leaf(1) })
    const broken = repository.commit({ web: 'generation: [' }, 'broken')
    await open().along(broken)
    const tip = repository.commit({ web: leaf(2) }, 'mended')
    const fresh = await open(null).along(tip)
    expect(fresh.commits[0]?.touched).toEqual([
      { leaf: 'web', set: '', file: 'web.yaml', line: 1, from: 1, to: 2, how: 'spec' },
    ])
    expect(await open().along(tip)).toEqual(fresh)
    rmSync(file)
    await open().along(broken)
    expect(await createHistoryIndex(repository, createReader(), file, { apartFrom: 1 }).along(tip)).toEqual(fresh)
  })

  it('fails as the repository does, and keeps what it has', async () => {
    const ids = commits(4)
    const index = createHistoryIndex(repository, createReader(), file, { apartFrom: 1 })
    repository.fail(new RepositoryFault('timeout', 'it hangs', ''))
    await expect(index.along(ids[3] ?? '')).rejects.toThrow('it hangs')
    repository.fail(null)
    expect(await generations(index, ids[3] ?? '')).toEqual([1, 2, 3, 4])
  })
})

describe('an index of another version', () => {
  it('is read from the repository again', async () => {
    const [, second = ''] = commits(2)
    writeFileSync(
      file,
      `{"version":1,"digest":1}\n${JSON.stringify({ id: second, subject: 'x', parents: [], reads: true, claims: [], leaves: [] })}\n`,
    )
    expect(await generations(open(), second)).toEqual([1, 2])
    expect(readFileSync(file, 'utf8')).not.toContain('"version":1')
  })
})
