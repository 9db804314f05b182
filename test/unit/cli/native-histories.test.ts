// Random histories in a real repository, made by native Git and graft in turn: real merges, moves, reverts and conflicts.
// Both must be able to read, check and take back what the other made.

import { mkdirSync, rmSync } from 'node:fs'

import fc from 'fast-check'
import { expect, it } from 'vitest'

import { Mistake, Problems } from '../../../src/cli/mistakes.ts'
import { commitBack, leafBack, setBack, type Ground } from '../../../src/cli/revert-back.ts'
import { makeRevert } from '../../../src/cli/revert-make.ts'
import { createHistoryIndex, type HistoryIndex } from '../../../src/daemon/history-index.ts'
import { isMisnamed } from '../../../src/daemon/named-set.ts'
import { knownNodes, nodeNamed } from '../../../src/daemon/node-history.ts'
import { settleAgainst } from '../../../src/daemon/settle.ts'
import { editedSnapshot } from '../../../src/desired/edited-snapshot.ts'
import { createReader, type Reader } from '../../../src/desired/read.ts'
import { revertMessage } from '../../../src/report/revert-words.ts'
import type { FileChange, Repository } from '../../../src/repository/repository.ts'
import { makeRepository, openSandbox, type Sandbox } from '../repository/git-sandbox.ts'
import { localRepository } from './local-repository.ts'
import { FILES, handEdit, merged } from './random-history.ts'
import { EDITS } from './random-wishes.ts'

const SECONDS = Number(process.env['GRAFT_PROPERTY_SECONDS'] ?? 4)

const edit = { what: fc.constantFrom(...EDITS), who: fc.nat(9), to: fc.integer({ min: 1, max: 4 }) }
const deeds = fc.oneof(
  { weight: 3, arbitrary: fc.record({ do: fc.constant('bump' as const), ...edit }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('commit' as const), ...edit }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('move' as const), who: fc.nat(9) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('remove' as const), who: fc.nat(9) }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('branch' as const), back: fc.nat(3), ...edit }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('merge' as const) }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('git revert' as const), back: fc.nat(6) }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('graft revert' as const), back: fc.nat(6) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('graft revert leaf' as const), who: fc.nat(9) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('graft revert set' as const), back: fc.nat(6) }) },
)
type Deed = typeof deeds extends fc.Arbitrary<infer Value> ? Value : never

interface Place {
  readonly sandbox: Sandbox
  readonly repository: Repository
  readonly index: HistoryIndex
  readonly reader: Reader
  readonly branches: string[]
  git(...args: string[]): string
}

function begin(): Place {
  const sandbox = openSandbox()
  makeRepository(sandbox, '.')
  sandbox.git('.', 'config', 'user.name', 'Ada')
  sandbox.git('.', 'config', 'user.email', 'ada@example.org')
  sandbox.commit('.', FILES, 'Begin')
  const repository = localRepository(sandbox.folder)
  const index = createHistoryIndex(repository, createReader(), null)
  return {
    sandbox,
    repository,
    index,
    reader: createReader(),
    branches: [],
    git: (...args) => sandbox.git('.', ...args),
  }
}

/** Null: Git would not, and left no trace. */
function tryGit({ git }: Place, abort: readonly string[], ...args: string[]): string | null {
  try {
    return git(...args)
  } catch {
    try {
      git(...abort)
    } catch {
      git('reset', '-q', '--hard')
    }
    return null
  }
}

async function groundOf({ repository, index, reader }: Place): Promise<Ground> {
  const { commit: tip } = await repository.refresh()
  const snapshot = await repository.snapshot(tip.id)
  const tree = reader.read(snapshot, { host: null }).tree
  return {
    deployment: { repository, history: index, settings: {} },
    reader,
    tip,
    snapshot,
    tree,
    line: await index.along(tip.id),
  }
}

async function commitByGraft({ repository }: Place, changes: readonly FileChange[], message: string): Promise<void> {
  if (changes.length === 0) return
  const { commit } = await repository.refresh()
  await repository.commitFiles({ onto: commit.id, changes, message, author: null, branch: null, push: false })
}

async function graftRevert(place: Place, deed: Deed): Promise<void> {
  const ground = await groundOf(place)
  try {
    const nodes = knownNodes(ground.line)
    const names = deed.do === 'graft revert leaf' ? [...nodes.leaves.keys()].toSorted() : ['.', 'web', 'web/inner']
    const node = nodeNamed(nodes, names[('who' in deed ? deed.who : 'back' in deed ? deed.back : 0) % names.length])
    if (isMisnamed(node)) throw new Error(node.message)
    const back =
      deed.do === 'graft revert'
        ? await commitBack(await commitAgo(place, deed.back), ground)
        : deed.do === 'graft revert leaf'
          ? await leafBack(node, undefined, ground)
          : await setBack(node, 'back' in deed ? (await commitAgo(place, deed.back)).id : undefined, ground)
    const { changes, reverted, difference } = await makeRevert(ground, back)
    await commitByGraft(place, changes, revertMessage(reverted, difference, null))
  } catch (error) {
    if (!(error instanceof Mistake) && !(error instanceof Problems)) throw error
  }
}

async function commitAgo({ git, repository }: Place, back: number) {
  const all = git('rev-list', '--topo-order', 'HEAD').split('\n')
  return repository.resolve(all[back % all.length] ?? 'HEAD')
}

async function perform(place: Place, deed: Deed): Promise<void> {
  const { sandbox, git, repository, reader, branches, index } = place
  const { commit: tip } = await repository.refresh()
  const snapshot = await repository.snapshot(tip.id)
  const leaves = [...(reader.read(snapshot, { host: null }).tree?.leaves.values() ?? [])]
  const leaf = 'who' in deed ? leaves[deed.who % Math.max(1, leaves.length)] : undefined
  switch (deed.do) {
    case 'bump': {
      const changes = handEdit({ reader }, snapshot, { ...deed, number: 'settled' })
      const edited = editedSnapshot(snapshot, changes)
      const settled = await settleAgainst({ repository, history: index }, edited, tip.id, { reader })
      if (settled.tree !== null) await commitByGraft(place, merged(changes, settled.changes), `Bump ${deed.what}`)
      return
    }
    case 'commit':
    case 'branch': {
      const name = `side-${git('for-each-ref', '--format=%(refname)').split('\n').length}`
      const isBranch = deed.do === 'branch'
      if (isBranch) {
        const onto = git('rev-list', '--first-parent', 'HEAD').split('\n')[deed.back]
        if (onto === undefined) return
        git('switch', '-q', '-c', name, onto)
      }
      const here = await repository.snapshot(git('rev-parse', 'HEAD'))
      const changes = handEdit({ reader }, here, { ...deed, number: isBranch ? 'wild' : 'forgotten' })
      const files = changes.map(({ path, content }) => [path, Buffer.from(content ?? []).toString()] as const)
      if (files.length > 0) sandbox.commit('.', Object.fromEntries(files), `Edit ${deed.what}`)
      if (!isBranch) return
      if (files.length > 0) branches.push(name)
      git('switch', '-q', 'main')
      return
    }
    case 'move':
    case 'remove': {
      if (leaf === undefined || git('ls-files', leaf.file) === '') return
      if (deed.do === 'remove') git('rm', '-q', leaf.file)
      else {
        const folder = leaf.set === 'web' ? 'web/inner' : 'web'
        mkdirSync(sandbox.path(folder), { recursive: true })
        if (tryGit(place, ['reset', '-q', '--hard'], 'mv', leaf.file, `${folder}/${leaf.name}.yaml`) === null) return
      }
      git('commit', '-q', '-m', `${deed.do} ${leaf.name}`)
      return
    }
    case 'merge': {
      const branch = branches.shift()
      if (branch !== undefined) tryGit(place, ['merge', '--abort'], 'merge', '-q', '--no-ff', '--no-edit', branch)
      return
    }
    case 'git revert': {
      const { id, parents } = await commitAgo(place, deed.back)
      const against = parents.length > 1 ? ['-m', '1'] : []
      if (parents.length > 0) tryGit(place, ['revert', '--abort'], 'revert', '--no-edit', ...against, id)
      return
    }
    default:
      return graftRevert(place, deed)
  }
}

it(
  'graft and native Git take back what the other made, after any history',
  { timeout: SECONDS * 1000 + 60_000 },
  async () => {
    let reverts = 0
    const property = fc.asyncProperty(fc.array(deeds, { maxLength: 12, size: 'max' }), async (history) => {
      const place = begin()
      const { git, repository, index, reader, sandbox } = place
      try {
        for (const deed of history) {
          await perform(place, deed)
          await index.at((await repository.refresh()).commit.id)
          expect(git('status', '--porcelain')).toBe('')
        }
        expect(git('fsck', '--strict', '--no-dangling')).toBe('')
        const tip = git('rev-parse', 'HEAD')
        const fresh = createHistoryIndex(localRepository(sandbox.folder), createReader(), null)
        expect([...(await index.at(tip)).ledger]).toEqual([...(await fresh.at(tip)).ledger])
        const [, before, parent] = [tip, git('rev-parse', 'HEAD^{tree}'), (await repository.resolve(tip)).parents[0]]
        if (parent === undefined) return
        // The newest commit can always be taken back where what was before it reads, and native Git brings it back.
        const was = reader.read(await repository.snapshot(parent), { host: null }).tree
        await graftRevert(place, { do: 'graft revert', back: 0 })
        if (git('rev-parse', 'HEAD') === tip) {
          expect(was === null || git('diff', '--name-only', parent, tip) === '').toBe(true)
          return
        }
        reverts++
        const now = reader.read(await repository.snapshot(git('rev-parse', 'HEAD')), { host: null }).tree
        const specs = (tree: typeof now) =>
          [...(tree?.leaves.values() ?? [])].map((leaf) => [leaf.name, leaf.ledgerDigest])
        expect(specs(now)).toEqual(specs(was))
        git('revert', '--no-edit', 'HEAD')
        expect(git('rev-parse', 'HEAD^{tree}')).toBe(before)
        expect(git('fsck', '--strict', '--no-dangling')).toBe('')
      } finally {
        rmSync(sandbox.folder, { recursive: true, force: true })
      }
    })
    // However slow the machine is, this one is tried.
    const examples: [Deed[]][] = [[[{ do: 'bump', what: 'image', who: 0, to: 3 }]]]
    const limits = {
      examples,
      numRuns: 1_000_000,
      interruptAfterTimeLimit: SECONDS * 1000,
      markInterruptAsFailure: false,
    }
    const details = await fc.check(property, limits)
    if (details.failed) {
      throw new Error(fc.defaultReportMessage(details) ?? 'failed', { cause: details.errorInstance })
    }
    if (process.env['GRAFT_PROPERTY_SECONDS'] !== undefined) {
      process.stdout.write(`native Git: ${details.numRuns} histories, ${reverts} telling\n`)
    }
    expect(reverts).toBeGreaterThan(0)
  },
)
