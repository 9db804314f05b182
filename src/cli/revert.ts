// graft revert: takes a commit back, or puts a leaf or a set back as it was, as a commit of its own.

import { isMisnamed } from '../daemon/named-set.ts'
import { knownNodes, nodeNamed } from '../daemon/node-history.ts'
import { readLimits } from '../daemon/limit-settings.ts'
import { createReader } from '../desired/read.ts'
import { askWake } from '../http/control-client.ts'
import { plain } from '../report/columns.ts'
import { differenceLines } from '../report/difference-lines.ts'
import { count } from '../report/plurals.ts'
import { revertMessage } from '../report/revert-words.ts'
import { commitText } from '../report/status-lines.ts'
import { RepositoryFault } from '../repository/repository.ts'
import type { CommitFacts, Snapshot } from '../repository/snapshot.ts'
import { examples, isSet, textOf, type CommandModule, type Invocation } from './command.ts'
import { authorOf, commitEdit } from './commit-edit.ts'
import { askDaemon, socketsOf } from './daemon-place.ts'
import { Mistake } from './mistakes.ts'
import { openForCommand, type Opened } from './open-command.ts'
import { commitBack, leafBack, setBack, type Back, type Ground } from './revert-back.ts'
import { makeRevert, type Revert } from './revert-make.ts'
import { withoutPolicy } from './validate.ts'
import { wholeLine } from './whole-line.ts'

export const revertCommand: CommandModule = {
  configure(command) {
    command
      .description(
        'Takes a commit back, or puts a leaf or a set back as it was, with the smallest commit that does it. Generations take their old numbers where the ledger allows it, else the next free ones.\nA merge is taken back against its first parent. Where later commits touched the same files, they are named and nothing is done.',
      )
      .argument('<COMMIT|NAME|SET>', 'a commit; or a leaf, or a set by its path or name, . for the whole deployment')
      .option(
        '--to <GENERATION|COMMIT>',
        'of a leaf or a set: how it was then; default: before the last commit that touched it',
      )
      .option('-m, --reason <TEXT>', 'why, for the message of the commit')
      .option('--branch <NAME>', 'commit it to a new branch, made from the newest commit of the one that is deployed')
      .option('--push', "push the commit to the folder's remote, too; behind a URL that is always done")
      .option('--author <PERSON>', 'who commits, as NAME <EMAIL>; default: as Git is configured')
      .option('--dry-run', 'only show what would change')
      .option('--json', 'print JSON')
      .addHelpText(
        'after',
        examples([
          ['graft revert HEAD', 'what the last commit did'],
          ['graft revert 3f2a1bc -m "Loses sessions" --push', 'one commit, with the reason'],
          ['graft revert nova-api', 'a leaf as it was before its last change'],
          ['graft revert nova-api --to 8', 'as it was in generation 8'],
          ['graft revert control/nova --to v1.4 --branch back', 'a set as it was at a tag, for a pull request'],
        ]),
      )
  },
  async run(invocation) {
    const opened = await openForCommand(invocation, withoutPolicy)
    try {
      return await revert(invocation, opened)
    } finally {
      await opened.deployment.close()
    }
  },
}

async function revert(invocation: Invocation, opened: Opened): Promise<number> {
  const { own, surroundings } = invocation
  const { deployment } = opened
  const branch = textOf(own, 'branch') ?? null
  const made: { revert: Revert | null } = { revert: null }
  const commit = await commitEdit(deployment, {
    message: () => messageOf(made.revert, textOf(own, 'reason') ?? null),
    author: authorOf(own, surroundings.env),
    branch,
    push: isSet(own, 'push'),
    async change(snapshot, tip) {
      made.revert = await revertAsked(invocation, opened, snapshot, tip)
      return isSet(own, 'dryRun') ? [] : made.revert.changes
    },
  })
  const done = made.revert
  if (done === null) return 0
  const wakes = commit !== null && branch === null
  const sockets = wakes ? await socketsOf(deployment, surroundings.env) : []
  const daemon = (await askDaemon(sockets, async (socket) => ((await askWake(socket)) ? true : null))) ?? false
  tell(invocation, opened, { revert: done, commit, branch, daemon })
  return 0
}

async function revertAsked(
  { args, own, output }: Invocation,
  { deployment }: Opened,
  snapshot: Snapshot,
  tip: CommitFacts,
): Promise<Revert> {
  const reader = createReader(readLimits(deployment.settings.limits))
  const line = await wholeLine(deployment, tip.id, output)
  const ground: Ground = { deployment, reader, tip, snapshot, line, tree: reader.read(snapshot, { host: null }).tree }
  return makeRevert(ground, await backAsked(args[0] ?? '', textOf(own, 'to'), ground))
}

/** A leaf or a set goes before a branch that has the same name. */
async function backAsked(asked: string, to: string | undefined, ground: Ground): Promise<Back> {
  const node = nodeNamed(knownNodes(ground.line), asked)
  if (!isMisnamed(node)) return node.kind === 'leaf' ? leafBack(node, to, ground) : setBack(node, to, ground)
  let commit: CommitFacts
  try {
    commit = await ground.deployment.repository.resolve(asked)
  } catch (error) {
    const isUnknown = error instanceof RepositoryFault && (error.kind === 'missing-ref' || error.kind === 'not-found')
    if (!isUnknown) throw error
    throw new Mistake(`${asked} is no commit, and ${node.message}`, node.remedy)
  }
  if (to !== undefined) {
    throw new Mistake('--to goes with a leaf or a set', `graft revert . --to ${to} puts the whole deployment back`)
  }
  return commitBack(commit, ground)
}

function messageOf(revert: Revert | null, reason: string | null): string {
  return revert === null ? '' : revertMessage(revert.reverted, revert.difference, reason)
}

interface Told {
  readonly revert: Revert
  readonly commit: CommitFacts | null
  readonly branch: string | null
  readonly daemon: boolean
}

function tell({ own, output }: Invocation, { place }: Opened, { revert: done, commit, branch, daemon }: Told): void {
  const { reverted, changes, difference, remarks } = done
  if (isSet(own, 'json')) {
    const { leaves = [], sets = [], rest = [] } = difference ?? {}
    const files = changes.map(({ path }) => path)
    output.printJson({ format: 1, reverted, leaves, sets, rest, files, remarks, commit, branch, daemon })
    return
  }
  const { palette } = output
  if (changes.length === 0) {
    output.print(['it is so already; there is nothing to take back'])
    return
  }
  output.print([
    ...(difference === null ? [] : [...differenceLines(difference, palette), '']),
    ...remarks.map((remark) => `${palette.changed('!')} ${plain(remark)}`),
  ])
  if (commit === null) {
    const files = changes.map(({ path }) => place(path))
    const shown = files.length > 8 ? count(files.length, 'file') : files.join(', ')
    output.print([palette.dim(`nothing was written; it would be ${shown}`)])
    return
  }
  const follows = daemon ? 'the daemon follows it now' : 'no daemon runs here: graft apply brings it about'
  output.print([
    commitText(commit, palette, Date.now()),
    branch === null ? follows : `on the branch ${palette.bold(branch)}: merge it, and it is deployed`,
  ])
}
