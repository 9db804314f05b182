// Where a bump goes: into the files of the work tree, or as a commit to the branch that is deployed or to a new one.

import { join } from 'node:path'

import { askWake } from '../http/control-client.ts'
import { bumpLines, bumpMessage, type BumpReport } from '../report/bump-words.ts'
import { count } from '../report/plurals.ts'
import { commitText } from '../report/status-lines.ts'
import type { CommitFacts } from '../repository/snapshot.ts'
import { makeBump, type Bump, type BumpWish } from './bump-make.ts'
import { isSet, textOf, type Given, type Invocation } from './command.ts'
import { authorOf, commitEdit } from './commit-edit.ts'
import { askDaemon, socketsOf } from './daemon-place.ts'
import { headOf } from './judge-work.ts'
import { Mistake } from './mistakes.ts'
import type { Opened } from './open-command.ts'
import { writeWorktree } from './write-worktree.ts'

export interface BumpPlan extends BumpWish {
  /** What to say where nothing is to be changed, a sentence without a full stop; absent: just that. */
  readonly nothing?: string
  /** First line of the commit's message. */
  readonly subject: (bump: Bump) => string
  /** More of the message, after the list of leaves; absent: nothing. */
  readonly more?: (bump: Bump) => string
  /** Compare leaves with what the branch said before, because the edit was somebody else's. */
  readonly compareWithHistory?: boolean
}

/** Where the result goes, by the options of a command. */
export interface Destination {
  readonly kind: 'files' | 'commit'
  /** Null: the branch that is deployed. */
  readonly branch: string | null
  readonly push: boolean
  readonly dryRun: boolean
}

/** Adds the options that `destinationOf` reads. */
export const LANDING_OPTIONS = [
  ['--commit', 'commit it to the branch that is deployed, made from its newest commit'],
  ['--branch <NAME>', 'commit it to a new branch, made from the newest commit of the one that is deployed'],
  ['--push', "push the commit to the folder's remote, too; behind a URL that is always done"],
  ['-m, --message <TEXT>', 'message of the commit; default: what changes, leaf by leaf'],
  ['--author <PERSON>', 'who commits, as NAME <EMAIL>; default: as Git is configured'],
  ['--dry-run', 'only show what would change'],
] as const

/** Throws a Mistake where the options do not go together, or there is no work tree to write into. */
export function destinationOf(own: Given, { worktree }: Opened): Destination {
  const branch = textOf(own, 'branch') ?? null
  const commits = isSet(own, 'commit') || branch !== null
  const push = isSet(own, 'push')
  const dryRun = isSet(own, 'dryRun')
  if (!commits) {
    const lonely = [
      ...(push ? ['--push'] : []),
      ...['message', 'author'].filter((name) => textOf(own, name) !== undefined).map((name) => `--${name}`),
    ]
    if (lonely.length > 0)
      throw new Mistake(`${lonely.join(' and ')} goes with a commit`, 'add --commit, or --branch NAME')
    if (worktree === null && !dryRun) {
      throw new Mistake('there is no work tree to write into', 'add --commit, or --branch NAME for a pull request')
    }
  }
  return { kind: commits || worktree === null ? 'commit' : 'files', branch, push, dryRun }
}

/** Makes the bump, brings it where it goes, and tells. The exit code is 0. */
export async function landBump(invocation: Invocation, opened: Opened, plan: BumpPlan): Promise<number> {
  const destination = destinationOf(invocation.own, opened)
  return destination.kind === 'files'
    ? toFiles(invocation, opened, plan, destination)
    : toCommit(invocation, opened, plan, destination)
}

async function toFiles(
  invocation: Invocation,
  opened: Opened,
  plan: BumpPlan,
  { dryRun }: Destination,
): Promise<number> {
  const { deployment, worktree } = opened
  const base = await headOf(deployment)
  const snapshot = await deployment.repository.worktree()
  const earlier = plan.compareWithHistory === true && base !== null ? await earlierTree(opened, base.id) : null
  const bump = await makeBump(deployment, { snapshot, base: base?.id ?? null, earlier }, plan)
  if (!dryRun && worktree !== null && bump.changes.length > 0) {
    await writeWorktree(join(worktree, deployment.settings.path ?? ''), snapshot, bump.changes)
  }
  const written = !dryRun && bump.changes.length > 0
  tell(invocation, opened, { bump, nothing: plan.nothing, commit: null, branch: null, written, daemon: false })
  return 0
}

async function toCommit(
  invocation: Invocation,
  opened: Opened,
  plan: BumpPlan,
  { branch, push, dryRun }: Destination,
): Promise<number> {
  const { own, surroundings } = invocation
  const { deployment } = opened
  const made: { bump: Bump | null } = { bump: null }
  const message = (): string => {
    const { bump } = made
    if (bump === null) return ''
    const more = plan.more?.(bump) ?? ''
    return textOf(own, 'message') ?? bumpMessage(plan.subject(bump), bump) + (more === '' ? '' : `\n\n${more}`)
  }
  const commit = await commitEdit(deployment, {
    message,
    author: authorOf(own, surroundings.env),
    branch,
    push,
    async change(snapshot, tip) {
      const [parent] = tip.parents
      const asks = plan.compareWithHistory === true && parent !== undefined
      const earlier = asks ? await earlierTree(opened, parent) : null
      made.bump = await makeBump(deployment, { snapshot, base: tip.id, earlier }, plan)
      return dryRun ? [] : made.bump.changes
    },
  })
  const { bump } = made
  if (bump === null) return 0
  const wakes = commit !== null && branch === null
  const sockets = wakes ? await socketsOf(deployment, surroundings.env) : []
  const daemon = (await askDaemon(sockets, async (socket) => ((await askWake(socket)) ? true : null))) ?? false
  tell(invocation, opened, { bump, nothing: plan.nothing, commit, branch, written: false, daemon })
  return 0
}

/** What the newest commit at or before `id` that reads declared. */
async function earlierTree({ deployment }: Opened, id: string): Promise<Bump['tree'] | null> {
  const readable = await deployment.history.lastReadable(id)
  return readable === null ? null : (await deployment.judge(readable, null)).tree
}

interface Told {
  readonly bump: Bump
  readonly nothing: string | undefined
  readonly commit: CommitFacts | null
  readonly branch: string | null
  readonly written: boolean
  readonly daemon: boolean
}

function tell({ own, output }: Invocation, { place }: Opened, told: Told): void {
  const { bump, nothing, commit, branch, written, daemon } = told
  if (isSet(own, 'json')) {
    output.printJson({ format: 1, ...bumpData(bump), commit, branch, written, daemon })
    return
  }
  const { palette } = output
  const lines = bumpLines(bump, palette)
  if (bump.changes.length === 0) {
    output.print([...lines, nothing ?? 'there is nothing to change'])
    return
  }
  output.print(lines)
  const files = bump.changes.map(({ path }) => place(path))
  if (commit !== null) {
    const follows = daemon ? 'the daemon follows it now' : 'no daemon runs here: graft apply brings it about'
    output.print([
      commitText(commit, palette, Date.now()),
      branch === null ? follows : `on the branch ${palette.bold(branch)}: merge it, and it is deployed`,
    ])
  } else if (written) {
    const shown = files.length > 4 ? count(files.length, 'file') : files.join(', ')
    output.print([`written: ${shown}`, palette.dim('git diff shows it; graft validate --worktree judges it')])
  } else output.print([palette.dim(`nothing was written; it would be ${files.join(', ')}`)])
}

function bumpData({ leaves, edits, remarks, changes }: BumpReport & Pick<Bump, 'changes'>): object {
  return { leaves, edits, remarks, files: changes.map(({ path }) => path) }
}
