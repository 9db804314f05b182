// graft diff: two commits against each other, as generations and fields.

import { isMisnamed } from '../daemon/named-set.ts'
import { knownNodes, lastTouch } from '../daemon/node-history.ts'
import type { Tree } from '../desired/tree.ts'
import { differenceBetween, isEmptyDifference } from '../plan/tree-difference.ts'
import { comparedLines, differenceLines } from '../report/difference-lines.ts'
import type { HistoryNode } from '../report/history.ts'
import { differenceJson } from '../report/history-json.ts'
import { commitText } from '../report/status-lines.ts'
import { RepositoryFault } from '../repository/repository.ts'
import type { CommitFacts } from '../repository/snapshot.ts'
import { examples, isSet, type CommandModule, type Invocation } from './command.ts'
import { Mistake, Problems } from './mistakes.ts'
import { nodeAsked } from './node-asked.ts'
import { openForCommand, reads, type Opened } from './open-command.ts'
import type { Output } from './output.ts'
import { withoutPolicy } from './validate.ts'
import { wholeLine } from './whole-line.ts'

export const diffCommand: CommandModule = {
  configure(command) {
    command
      .description(
        'Shows what differs between two commits: which leaves, from which generation to which, and field by field what their containers would be given. How the files are written does not matter.\nOne commit is compared with what is deployed now, none means the last commit against the one before it; a name alone means its last change.\nExit 0: nothing differs, 2: something does, 1: something is wrong.',
      )
      .argument('[COMMITS...]', 'A..B, or A B, or A; and last a leaf or a set, to see only that')
      .option('--json', 'print JSON')
      .addHelpText(
        'after',
        examples([
          ['graft diff', 'what the last commit changed'],
          ['graft diff v1..v2', 'from one tag to another'],
          ['graft diff HEAD~5 openstack-control', 'five commits of one set'],
          ['graft diff nova-api', 'the last change of a leaf'],
        ]),
      )
  },
  async run(invocation) {
    const opened = await openForCommand(invocation, withoutPolicy)
    try {
      return await compare(invocation, opened)
    } finally {
      await opened.deployment.close()
    }
  },
}

interface Asked {
  readonly from: CommitFacts
  readonly to: CommitFacts
  /** Null: everything. */
  readonly node: HistoryNode | null
}

async function compare(invocation: Invocation, opened: Opened): Promise<number> {
  const { output, own } = invocation
  const { from, to, node } = await meaningOf(invocation, opened)
  const before = await treeAt(from, invocation, opened)
  const after = await treeAt(to, invocation, opened)
  const difference = differenceBetween(before, after, filterFor(node))
  if (isSet(own, 'json')) output.printJson(differenceJson(from, to, difference))
  else {
    const { palette } = output
    const now = Date.now()
    output.print([
      ...comparedLines(commitText(from, palette, now), commitText(to, palette, now), palette),
      '',
      ...differenceLines(difference, palette),
    ])
  }
  return isEmptyDifference(difference) ? 0 : 2
}

async function treeAt(commit: CommitFacts, { output, own }: Invocation, { deployment }: Opened): Promise<Tree> {
  const judgement = await deployment.judge(commit.id, null)
  if (reads(judgement)) return judgement.tree
  if (!isSet(own, 'json')) output.say([`${commitText(commit, output.errorPalette, Date.now())} does not read:`, ''])
  throw new Problems(judgement.problems)
}

async function meaningOf({ args, output }: Invocation, opened: Opened): Promise<Asked> {
  const { repository } = opened.deployment
  const { commit: tip } = await repository.refresh()
  const [first, ...rest] = args
  if (first === undefined) return { ...(await changeOf(tip)), node: null }
  const range = /^(.*?)(\.{2,3})(.*)$/.exec(first)
  if (range !== null && !first.startsWith('./')) {
    const [, from = '', dots, to = ''] = range
    if (dots === '...') throw new Mistake('graft diff knows A..B, not A...B', `write ${from}..${to}`)
    const node = await oneNode(rest, tip, output, opened)
    const end = async (text: string): Promise<CommitFacts> => (text === '' ? tip : repository.resolve(text))
    return { from: await end(from), to: await end(to), node }
  }
  const commits: CommitFacts[] = []
  const names = [...args]
  for (let name = names[0]; name !== undefined && commits.length < 2; name = names[0]) {
    const found = await commitNamed(name, opened)
    if (found === null) break
    commits.push(found)
    names.shift()
  }
  const [from, to = tip] = commits
  const node = await oneNode(names, tip, output, opened)
  if (from !== undefined) return { from, to, node }
  const line = await wholeLine(opened.deployment, tip.id, output)
  const touch = node === null ? null : lastTouch(line, node)
  if (touch === null) {
    throw new Mistake(`no commit that is here touched ${node?.name ?? first}`, 'name the commits: graft diff A..B')
  }
  return { ...(await changeOf(touch.commit)), node }

  /** A commit against its first parent. */
  async function changeOf(commit: CommitFacts): Promise<Omit<Asked, 'node'>> {
    const [parent] = commit.parents
    if (parent === undefined) {
      throw new Mistake(`${commit.id.slice(0, 7)} is the first commit`, 'there is nothing before it to compare with')
    }
    return { from: await repository.resolve(parent), to: commit }
  }
}

/** Null where no commit has that name; what is said of it then is that it is no leaf and no set either. */
async function commitNamed(name: string, { deployment }: Opened): Promise<CommitFacts | null> {
  try {
    return await deployment.repository.resolve(name)
  } catch (error) {
    if (error instanceof RepositoryFault && (error.kind === 'missing-ref' || error.kind === 'not-found')) return null
    throw error
  }
}

async function oneNode(
  names: readonly string[],
  tip: CommitFacts,
  output: Output,
  opened: Opened,
): Promise<HistoryNode | null> {
  const [name, another] = names
  if (name === undefined) return null
  if (another !== undefined) {
    throw new Mistake(`${another} is one too many`, 'graft diff takes two commits at most, and one leaf or set')
  }
  const node = nodeAsked(knownNodes(await wholeLine(opened.deployment, tip.id, output)), name, opened)
  if (isMisnamed(node)) throw new Mistake(`${name} is no commit, and ${node.message}`, node.remedy)
  return node
}

function filterFor(node: HistoryNode | null): Parameters<typeof differenceBetween>[2] {
  if (node === null || node.kind === 'deployment') return { leaf: () => true, set: () => true }
  const { kind, name } = node
  if (kind === 'leaf') return { leaf: (leaf) => leaf.name === name || leaf.renamed_from === name, set: () => false }
  const inside = (path: string): boolean => path === name || path.startsWith(`${name}/`)
  return { leaf: ({ set }) => inside(set), set: inside }
}
