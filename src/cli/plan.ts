// graft plan: what would be done, against what runs or against an earlier commit. Nothing is changed.

import { removalLimit } from '../desired/policy-judge.ts'
import type { Problem } from '../desired/problem.ts'
import { changesOffline, planOffline } from '../plan/offline.ts'
import { changesAnything, type Plan } from '../plan/verdict.ts'
import { approveRemedy } from '../report/approve-words.ts'
import { planJson } from '../report/json.ts'
import { planMarkdown, unreadableMarkdown } from '../report/plan-markdown.ts'
import { planLines } from '../report/plan-lines.ts'
import { problemLines } from '../report/problem-lines.ts'
import { commitText } from '../report/status-lines.ts'
import type { CommitFacts } from '../repository/snapshot.ts'
import { examples, isSet, textOf, type CommandModule, type Invocation } from './command.ts'
import { judgeWork } from './judge-work.ts'
import { Mistake } from './mistakes.ts'
import { hostFilesOf, openForCommand, reads, type Opened } from './open-command.ts'
import { openEngine, openReconciler, QUIET } from './open-engine.ts'
import { judgeAgainst } from './validate-against.ts'
import { withoutPolicy } from './validate.ts'

export const planCommand: CommandModule = {
  configure(command) {
    command
      .description(
        'Shows what would be done to make what runs agree with a commit, leaf by leaf and field by field.\nExit 0: nothing to do, 2: there are changes, 1: something is wrong.',
      )
      .option('--worktree', 'look at the files as they lie there, not at the last commit')
      .option('--offline', 'without an engine: compare with an earlier commit')
      .option('--against <REV>', 'the earlier commit for --offline; default: the first parent')
      .option('--markdown', 'as the comment of a pull request; implies --offline')
      .option('--all', 'show leaves that stay as they are, too')
      .option('--json', 'print JSON')
      .addHelpText(
        'after',
        examples([
          ['graft plan', 'the last commit against what runs'],
          ['graft plan --worktree', 'what is not committed yet against what runs'],
          ['graft plan --offline', 'what the last commit changes; in a pull request'],
          ['graft plan --offline --against origin/main', 'what a branch changes'],
          ['graft plan --against origin/main --markdown', 'the comment of a pull request'],
        ]),
      )
  },
  async run(invocation) {
    const markdown = isSet(invocation.own, 'markdown')
    if (markdown && isSet(invocation.own, 'json'))
      throw new Mistake('--markdown and --json exclude each other', 'choose one')
    const offline = markdown || isSet(invocation.own, 'offline')
    if (!offline && textOf(invocation.own, 'against') !== undefined) {
      throw new Mistake(
        '--against goes with --offline',
        'add --offline, or leave --against out to compare with what runs',
      )
    }
    return offline ? planWithoutEngine(invocation) : planWithEngine(invocation)
  },
}

/** Also `graft apply --dry-run`. */
export async function planWithEngine(invocation: Invocation): Promise<number> {
  const { surroundings, own } = invocation
  const opened = await openForCommand(invocation)
  const { deployment, settings } = opened
  try {
    const host = await hostFilesOf(deployment)
    const { judgement, base } = await judgeWork(deployment, isSet(own, 'worktree'), host)
    if (!reads(judgement)) return tellUnreadable(judgement.problems, invocation, opened)
    const { connection, engine } = await openEngine(settings, surroundings.env)
    try {
      const reconciler = await openReconciler(deployment, { connection, engine, name: judgement.tree.name }, QUIET)
      const wish = deployment.wish(judgement, host, isSet(own, 'confirmRemovals'))
      const { plan } = await reconciler.look(wish)
      return show(
        { plan, commit: base, problems: judgement.problems, changes: changesAnything(plan) },
        invocation,
        opened,
      )
    } finally {
      connection.close()
    }
  } finally {
    await deployment.close()
  }
}

async function planWithoutEngine(invocation: Invocation): Promise<number> {
  const { own, output } = invocation
  const opened = await openForCommand(invocation, withoutPolicy)
  const { deployment } = opened
  try {
    const worktree = isSet(own, 'worktree')
    const { policy } = await hostFilesOf(deployment)
    const against = textOf(own, 'against')
    const { judgement, base } =
      against === undefined || worktree
        ? await judgeWork(deployment, worktree, null)
        : await judgeAgainst(deployment, against)
    if (!reads(judgement)) return tellUnreadable(judgement.problems, invocation, opened)
    const wanted =
      against === undefined
        ? worktree
          ? base?.id
          : base?.parents[0]
        : (await deployment.repository.resolve(against)).id
    const readable = wanted === undefined ? null : await deployment.history.lastReadable(wanted)
    const earlier = readable === null ? null : await deployment.judge(readable, null)
    const before = earlier?.tree ?? null
    const limit = removalLimit(policy, judgement.tree, before?.leaves.size ?? 0)
    const plan = planOffline({ before, after: judgement.tree, refused: judgement.refused, removalLimit: limit })
    if (isSet(own, 'markdown')) {
      const { problems } = judgement
      output.print([planMarkdown({ plan, problems, head: base, than: earlier?.commit ?? null }).trimEnd()])
      return exitCode({ plan, problems, changes: changesOffline(plan) })
    }
    if (!isSet(own, 'json')) {
      const { palette } = output
      const than =
        earlier?.commit == null ? 'nothing earlier that reads' : commitText(earlier.commit, palette, Date.now())
      output.print([`${palette.dim('compared with')} ${than}`])
    }
    return show({ plan, commit: base, problems: judgement.problems, changes: changesOffline(plan) }, invocation, opened)
  } finally {
    await deployment.close()
  }
}

interface Shown {
  readonly plan: Plan
  readonly commit: CommitFacts | null
  readonly problems: readonly Problem[]
  readonly changes: boolean
}

function show({ plan, commit, problems, changes }: Shown, { output, own }: Invocation, { place }: Opened): number {
  if (isSet(own, 'json')) output.printJson(planJson(plan, commit, problems, changes))
  else {
    const { palette } = output
    const uncommitted = isSet(own, 'worktree') ? 'work tree on ' : ''
    const what = commit === null ? 'work tree' : `${uncommitted}${commitText(commit, palette, Date.now())}`
    const removalRemedy = approveRemedy(plan.commit)
    output.print([
      `${palette.bold(plan.deployment)}  ${what}`,
      '',
      ...problemLines(problems, { palette, place }),
      ...(problems.length > 0 ? [''] : []),
      ...planLines(plan, { palette, all: isSet(own, 'all'), removalRemedy }),
    ])
  }
  return exitCode({ plan, problems, changes })
}

function exitCode({ plan, problems, changes }: Omit<Shown, 'commit'>): number {
  if (problems.some(({ severity }) => severity !== 'warning')) return 1
  return changes || plan.removalHeld !== null ? 2 : 0
}

async function tellUnreadable(
  problems: readonly Problem[],
  { output, own }: Invocation,
  { place }: Opened,
): Promise<number> {
  if (isSet(own, 'json')) {
    const { problemsJson } = await import('../report/json.ts')
    output.printJson(problemsJson(problems))
  } else if (isSet(own, 'markdown')) output.print([unreadableMarkdown(problems).trimEnd()])
  else output.print(problemLines(problems, { palette: output.palette, place }))
  return 1
}
