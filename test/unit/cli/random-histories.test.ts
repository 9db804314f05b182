// What must hold after any history of edits, bumps, reverts, merges, moves, renames, deletions and commits that do not
// read. GRAFT_PROPERTY_SECONDS: how long each property is tried.

import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { parse } from 'yaml'

import { createHistoryIndex } from '../../../src/daemon/history-index.ts'
import { editImages } from '../../../src/desired/image-edit.ts'
import { editedSnapshot } from '../../../src/desired/edited-snapshot.ts'
import { judgeLeaf } from '../../../src/desired/ledger-judge.ts'
import { createReader } from '../../../src/desired/read.ts'
import { isRefusal } from '../../../src/desired/text-edits.ts'
import type { Tree } from '../../../src/desired/tree.ts'
import type { Snapshot } from '../../../src/repository/snapshot.ts'
import { commitBack } from '../../../src/cli/revert-back.ts'
import { makeRevert } from '../../../src/cli/revert-make.ts'
import {
  groundOf,
  handEdit,
  merged,
  revertWished,
  settle,
  tell,
  textAt,
  tipOf,
  treeAt,
  type RevertWish,
  type Story,
} from './random-history.ts'
import { histories, wishes, type Wish } from './random-wishes.ts'

const SECONDS = Number(process.env['GRAFT_PROPERTY_SECONDS'] ?? 3)

/** Tries histories until the time is up. `holds` gives false for one that says nothing about the property. */
async function forAnyHistory(
  holds: (story: Story, wish: Wish) => Promise<boolean>,
  wish: fc.Arbitrary<Wish> = wishes,
): Promise<void> {
  let telling = 0
  const property = fc.asyncProperty(histories, wish, async (history, last) => {
    if (await holds(await tell(history), last)) telling++
  })
  const limits = { numRuns: 10_000_000, interruptAfterTimeLimit: SECONDS * 1000, markInterruptAsFailure: false }
  const details = await fc.check(property, limits)
  if (details.failed) {
    throw new Error(fc.defaultReportMessage(details) ?? 'failed', { cause: details.errorInstance })
  }
  if (process.env['GRAFT_PROPERTY_SECONDS'] !== undefined) {
    process.stdout.write(
      `${expect.getState().currentTestName ?? ''}: ${details.numRuns} histories, ${telling} telling\n`,
    )
  }
  expect(telling).toBeGreaterThan(0)
}

const TIME = SECONDS * 1000 + 60_000

/** Every leaf that the ledger of a commit does not admit. */
async function refused({ index }: Story, tree: Tree, base: string): Promise<string[]> {
  const { ledger } = await index.at(base)
  const inAncestors = await index.sideLines(base)
  return [...tree.leaves.values()].flatMap((leaf) => {
    const problem = judgeLeaf(leaf, ledger, inAncestors)
    return problem === null ? [] : [`${problem.message} → ${problem.remedy}`]
  })
}

const specs = (tree: Tree): Record<string, string> =>
  Object.fromEntries([...tree.leaves.values()].map(({ name, ledgerDigest }) => [name, ledgerDigest]))

const claims = (tree: Tree): Record<string, string> =>
  Object.fromEntries([...tree.leaves.values()].map((leaf) => [leaf.name, `${leaf.generation} ${leaf.ledgerDigest}`]))

/** What a YAML file says besides generations. */
function besidesGenerations(text: string): unknown {
  const value = parse(text) as Record<string, unknown>
  const { generation: _, ...rest } = value
  return rest
}

function linesWithoutNumbers(text: string): string[] {
  return text.split('\n').filter((line) => !line.startsWith('generation:'))
}

async function afterFix(story: Story, snapshot: Snapshot, base: string) {
  const { changes, tree, problems } = await settle(story, snapshot, base)
  return { changes, tree, problems, after: editedSnapshot(snapshot, changes) }
}

describe('after any history', () => {
  it('the ledger built commit by commit is the ledger read from nothing', { timeout: TIME }, () =>
    forAnyHistory(async (story) => {
      const tip = tipOf(story)
      const fresh = createHistoryIndex(story.repository, createReader(), null)
      const [grown, rebuilt] = [await story.index.at(tip), await fresh.at(tip)]
      expect([...grown.ledger]).toEqual([...rebuilt.ledger])
      expect([...grown.departed]).toEqual([...rebuilt.departed])
      expect(await story.index.along(tip)).toEqual(await fresh.along(tip))
      for (const entries of grown.ledger.values()) {
        const numbers = entries.map(({ generation }) => generation)
        expect(new Set(numbers).size).toBe(numbers.length)
      }
      return [...grown.ledger.values()].some((entries) => entries.length > 1)
    }),
  )

  it('a bump reads, and every leaf it changes is admitted', { timeout: TIME }, () =>
    forAnyHistory(async (story, wish) => {
      const tip = story.repository.tip()
      const before = treeAt(story, tipOf(story))
      if (before === null) return false
      const names = [...before.leaves.keys()]
      const leaf = names['who' in wish ? wish.who % Math.max(1, names.length) : 0] ?? ''
      const made = editImages(tip, before, [{ leaf, tag: 'to' in wish ? `${wish.to}` : '9' }])
      if (isRefusal(made)) return false
      const { tree, problems, changes } = await settle(story, editedSnapshot(tip, made.changes), tipOf(story))
      expect(problems).toEqual([])
      if (tree === null) throw new Error('it does not read')
      expect(await refused(story, tree, tipOf(story))).toEqual([])
      const committed = story.repository.commit(merged(made.changes, changes), 'Bump')
      expect(await refused(story, tree, committed.commit?.id ?? '')).toEqual([])
      return made.changes.length > 0
    }),
  )

  it('validate --fix ends valid, touches only generations, and has nothing more to do', { timeout: TIME }, () =>
    forAnyHistory(async (story, wish) => {
      const tip = story.repository.tip()
      const edits = 'what' in wish ? handEdit(story, tip, { ...wish, number: 'wild' }) : []
      const worktree = editedSnapshot(tip, edits)
      const { changes, tree, problems, after } = await afterFix(story, worktree, tipOf(story))
      if (tree === null) {
        expect(changes).toEqual([])
        return false
      }
      expect(problems).toEqual([])
      expect(await refused(story, tree, tipOf(story))).toEqual([])
      for (const { path } of changes) {
        const [was, is] = [textAt(worktree, path) ?? '', textAt(after, path) ?? '']
        expect(linesWithoutNumbers(is)).toEqual(linesWithoutNumbers(was))
        expect(besidesGenerations(is)).toEqual(besidesGenerations(was))
      }
      expect([...after.entries.keys()]).toEqual([...worktree.entries.keys()])
      expect((await afterFix(story, after, tipOf(story))).changes).toEqual([])
      return changes.length > 0
    }),
  )

  const reverts = wishes.filter((wish): wish is RevertWish => wish.do.startsWith('revert'))

  it('a revert of a revert is the identity on what runs', { timeout: TIME }, () =>
    forAnyHistory(async (story, wish) => {
      const before = treeAt(story, tipOf(story))
      const first = await revertWished(story, wish as RevertWish)
      if (before === null || first === null || first.changes.length === 0) return false
      const between = story.repository.commit(first.changes, 'Revert')
      const middle = treeAt(story, tipOf(story))
      if (middle === null) throw new Error('what a revert made does not read')
      const { commit } = between
      if (commit === null) throw new Error('no commit')
      const ground = await groundOf(story)
      const second = await makeRevert(ground, await commitBack(commit, ground))
      story.repository.commit(second.changes, 'Reapply')
      const after = treeAt(story, tipOf(story))
      if (after === null) throw new Error('what a revert of a revert made does not read')
      expect(specs(after)).toEqual(specs(before))
      return JSON.stringify(specs(middle)) !== JSON.stringify(specs(before))
    }, reverts),
  )

  it('a revert changes what it says, under numbers that the ledger admits', { timeout: TIME }, () =>
    forAnyHistory(async (story, wish) => {
      const tip = tipOf(story)
      const before = treeAt(story, tip)
      const revert = await revertWished(story, wish as RevertWish)
      if (before === null || revert === null || revert.changes.length === 0) return false
      story.repository.commit(revert.changes, 'Revert')
      const after = treeAt(story, tipOf(story))
      if (after === null) throw new Error('it does not read')
      const [old, now] = [claims(before), claims(after)]
      const moved = Object.keys(now).filter((name) => now[name] !== old[name])
      const wrong = await refused(story, after, tip)
      expect(wrong.filter((words) => moved.some((name) => words.includes(` of ${name} `)))).toEqual([])
      const { reverted } = revert
      if (reverted.kind === 'leaf') {
        expect(moved.filter((name) => name !== reverted.name)).toEqual([])
        const then = treeAt(story, reverted.commit.id)?.leaves.get(reverted.name)
        expect(after.leaves.get(reverted.name)?.ledgerDigest).toBe(then?.ledgerDigest)
      }
      return moved.length > 0
    }, reverts),
  )
})
