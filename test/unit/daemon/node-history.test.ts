// The commits that touched a leaf, a set or everything, as the index knows them, on real Git histories.

import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'

import { createHistoryIndex, type HistoryLine } from '../../../src/daemon/history-index.ts'
import { isMisnamed } from '../../../src/daemon/named-set.ts'
import { knownNodes, lastTouch, nodeNamed, pageOf } from '../../../src/daemon/node-history.ts'
import { createReader } from '../../../src/desired/read.ts'
import type { HistoryNode, LeafTouch } from '../../../src/report/history.ts'
import { leaf } from '../plan/build.ts'
import { nativeRepository, type NativeRepository } from './native-repository.ts'

// Many runs of Git each; a busy machine takes its time.
vi.setConfig({ testTimeout: 60_000 })

let repository: NativeRepository
beforeEach(() => (repository = nativeRepository()))
afterEach(() => repository.sandbox.remove())

const lineNow = (): Promise<HistoryLine> =>
  createHistoryIndex(repository, createReader(), null).along(repository.git('rev-parse', 'HEAD'))

async function nodeOf(asked?: string): Promise<{ line: HistoryLine; node: HistoryNode }> {
  const line = await lineNow()
  const node = nodeNamed(knownNodes(line), asked)
  if (isMisnamed(node)) throw new Error(node.message)
  return { line, node }
}

/** `subject: how from>to`, newest first. */
async function told(asked?: string): Promise<string[]> {
  const { line, node } = await nodeOf(asked)
  const page = pageOf(line, node, { before: null, limit: 100 })
  const touch = ({ leaf: name, how, from, to }: LeafTouch): string =>
    ` ${asked === name ? '' : `${name} `}${how} ${from ?? ''}>${to ?? ''}`
  return (page?.entries ?? []).map(
    ({ commit, leaves, files, reads }) =>
      `${commit.subject}:${leaves.map(touch).join(',')}${leaves.length === 0 ? ` ${files.join()}` : ''}${reads ? '' : '!'}`,
  )
}

describe('the history of a leaf', () => {
  it('is what changed it, in its file or elsewhere, and nothing else', async () => {
    repository.commit(
      {
        'web/set.yaml': 'version: "1"\n',
        'web/page.yaml': 'generation: 1\nimage: app:${version}\nfiles: {/x: ./x.txt}\n',
        'web/x.txt': 'one',
        other: leaf(1),
      },
      'begin',
    )
    repository.commit({ other: leaf(2) }, 'another leaf')
    repository.commit({ 'web/x.txt': 'two' }, 'what it mounts')
    repository.commit({ 'web/set.yaml': 'version: "2"\n' }, 'its version')
    repository.commit({ 'web/set.yaml': 'version: "2"\ndescription: pages\n' }, 'a description')
    repository.commit(
      { 'web/page.yaml': '# A page\ngeneration: 1\nimage: app:${version}\nfiles: {/x: ./x.txt}\n' },
      'a comment',
    )
    repository.commit({ 'web/set.yaml': 'version: "2"\nstate: stopped\n' }, 'stop')
    repository.commit({ 'web/page.yaml': leaf(2) }, 'bump')
    expect(await told('page')).toEqual([
      'bump: spec 1>2',
      'stop: settings 1>1',
      'a comment: text 1>1',
      'its version: spec 1>1',
      'what it mounts: spec 1>1',
      'begin: added >1',
    ])
  })

  it('goes on where it was moved, renamed, removed and made again', async () => {
    repository.commit({ page: leaf(1), 'web/set.yaml': '{}' }, 'begin')
    repository.commit({ page: null, 'web/page.yaml': leaf(1) }, 'move')
    repository.commit({ 'web/page.yaml': null, 'web/site.yaml': leaf(1, 'renamed_from: page') }, 'rename')
    repository.commit({ 'web/site.yaml': null }, 'remove')
    repository.commit({ site: leaf(2) }, 'again')
    expect(await told('site')).toEqual([
      'again: added >2',
      'remove: removed 1>',
      'rename: renamed 1>1',
      'move: page moved 1>1',
      'begin: page added >1',
    ])
    const { node } = await nodeOf('page')
    expect(node).toEqual({ kind: 'leaf', name: 'page', file: 'web/site.yaml', generation: null })
  })

  it('has the commits that do not read, by the files they touched', async () => {
    repository.commit(
      { 'web/set.yaml': '{}', 'web/page.yaml': leaf(1), 'db/set.yaml': '{}', 'db/base.yaml': leaf(1) },
      'begin',
    )
    repository.commit({ 'db/set.yaml': 'x: [' }, 'db is broken')
    repository.commit({ 'web/set.yaml': 'x: [' }, 'web is broken, too')
    repository.commit({ 'db/set.yaml': '{}', 'web/set.yaml': '{}' }, 'mended')
    repository.commit({ 'web/page.yaml': 'generation: [' }, 'page is broken')
    expect(await told('page')).toEqual([
      'page is broken: web/page.yaml!',
      'web is broken, too: web/set.yaml!',
      'begin: added >1',
    ])
    expect((await told('db')).map((line) => line.split(':')[0])).toEqual(['mended', 'db is broken', 'begin'])
  })

  it('of a merge is what it brought to the first parent', async () => {
    repository.commit({ page: leaf(1) }, 'begin')
    repository.git('checkout', '-q', '-b', 'side')
    repository.commit({ page: leaf(2) }, 'on the side')
    repository.commit({ page: leaf(3) }, 'further')
    repository.git('checkout', '-q', 'main')
    repository.commit({ other: leaf(1) }, 'meanwhile')
    repository.git('merge', '-q', '--no-ff', 'side', '-m', 'merge')
    expect(await told('page')).toEqual(['merge: spec 1>3', 'begin: added >1'])
  })
})

describe('the history of a set and of everything', () => {
  it('has every commit that touched a file in it', async () => {
    repository.commit({ 'aa/set.yaml': '{}', 'aa/bb/set.yaml': '{}', 'aa/bb/in.yaml': leaf(1), out: leaf(1) }, 'begin')
    repository.commit({ 'aa/README.md': 'x' }, 'words')
    repository.commit({ out: leaf(2) }, 'outside')
    repository.commit({ 'aa/bb/in.yaml': null, in: leaf(1) }, 'moved out')
    repository.commit({}, 'nothing at all')
    expect(await told('aa/bb')).toEqual(['moved out: in moved 1>1', 'begin: in added >1'])
    expect(await told('aa')).toEqual(['moved out: in moved 1>1', 'words: aa/README.md', 'begin: in added >1'])
    expect(await told()).toEqual([
      'moved out: in moved 1>1',
      'outside: out spec 1>2',
      'words: aa/README.md',
      'begin: in added >1, out added >1',
      'Begin: deployment.yaml',
    ])
    expect(await told('.')).toEqual(await told('shop'))
  })

  it('knows nodes by path, file and name, and says what was meant', async () => {
    repository.commit({
      'aa/set.yaml': '{}',
      'aa/one/set.yaml': '{}',
      'bb/set.yaml': '{}',
      'bb/one/set.yaml': '{}',
      'bb/two/set.yaml': '{}',
      'aa/one/page.yaml': leaf(1),
    })
    const known = knownNodes(await lineNow())
    expect(nodeNamed(known, 'aa/one/page.yaml')).toMatchObject({ kind: 'leaf', name: 'page' })
    expect(nodeNamed(known, './bb/two/')).toMatchObject({ kind: 'set', name: 'bb/two' })
    expect(nodeNamed(known, 'two')).toMatchObject({ kind: 'set', name: 'bb/two' })
    expect(nodeNamed(known, 'one')).toEqual({
      message: 'more than one set has the name one',
      remedy: 'write its path: aa/one, bb/one',
    })
    expect(nodeNamed(known, 'pgae')).toEqual({
      message: 'shop never had a leaf or a set pgae',
      remedy: 'did you mean page?',
    })
  })
})

it('a shallow clone does not say that everything was new in its oldest commit', async () => {
  repository.commit({ page: leaf(1) }, 'one')
  const second = repository.commit({ page: leaf(2) }, 'two')
  repository.commit({ page: leaf(3) }, 'three')
  repository.cutBelow(second)
  expect(await told('page')).toEqual(['three: spec 2>3'])
})

describe('pages', () => {
  it('follow one another without a gap, and the last one has no next', async () => {
    repository.commit({ page: leaf(1) }, 'old')
    repository.commit({ page: null, site: leaf(1, 'renamed_from: page') }, 'rename')
    for (let generation = 2; generation <= 6; generation++) {
      repository.commit({ site: leaf(generation) }, `site ${generation}`)
      repository.commit({ other: leaf(generation) }, 'another')
    }
    const { line, node } = await nodeOf('site')
    const whole = pageOf(line, node, { before: null, limit: 100 })
    expect(whole?.next).toBeNull()
    const seen: string[] = []
    for (let before: string | null = null, pages = 0; pages < 4; pages++) {
      const page = pageOf(line, node, { before, limit: 2 })
      seen.push(...(page?.entries ?? []).map(({ commit }) => commit.subject))
      before = page?.next ?? null
      if (before === null) break
    }
    expect(seen).toEqual(['site 6', 'site 5', 'site 4', 'site 3', 'site 2', 'rename', 'old'])
    expect(whole?.entries.map(({ commit }) => commit.subject)).toEqual(seen)
    expect(pageOf(line, node, { before: '0'.repeat(40), limit: 2 })).toBeNull()
    expect(lastTouch(line, node)?.commit.subject).toBe('site 6')
  })
})
