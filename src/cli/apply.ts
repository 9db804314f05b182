// graft apply: brings what runs into agreement with a commit once, with live progress.

import type { TableResult } from '../apply/outcome.ts'
import type { Progress } from '../apply/progress.ts'
import { holdDeployment } from '../daemon/hold-deployment.ts'
import { askConfirmRemovals } from '../http/control-client.ts'
import { askDaemon, socketsOf } from './daemon-place.ts'
import type { Accepted } from '../daemon/open-deployment.ts'
import type { Turn } from '../daemon/reconcile.ts'
import { duration } from '../report/durations.ts'
import { applyJson } from '../report/json.ts'
import { plainLine } from '../report/progress-plain.ts'
import { createProgressView } from '../report/progress-view.ts'
import { problemLines } from '../report/problem-lines.ts'
import { commitText } from '../report/status-lines.ts'
import { summaryLines } from '../report/summary-lines.ts'
import { gainLines } from '../report/gain-lines.ts'
import { problemsJson } from '../report/json.ts'
import { examples, isSet, type CommandModule, type Invocation } from './command.ts'
import { openLiveScreen } from './live-screen.ts'
import { Mistake } from './mistakes.ts'
import { hostFilesOf, judgeTip, openForCommand, reads, type Opened } from './open-command.ts'
import { openEngine, openReconciler, type OpenedEngine } from './open-engine.ts'
import { planWithEngine } from './plan.ts'

export const applyCommand: CommandModule = {
  configure(command) {
    command
      .description(
        'Makes what runs agree with the last commit, once, and shows how it goes. Files that are not committed do not count.\nExit 0: all is in sync, 1: something failed, was refused or is held.',
      )
      .option('--confirm-removals', 'remove leaves that are gone, however many')
      .option('--dry-run', 'only show what would be done, as graft plan does')
      .option('--json', 'print JSON at the end')
      .addHelpText(
        'after',
        examples([
          ['graft apply', 'the last commit of the repository around this folder'],
          ['graft apply --dry-run', 'look first'],
          ['graft apply --ref v12', 'a tag'],
        ]),
      )
  },
  async run(invocation) {
    const { surroundings, own, output } = invocation
    if (isSet(own, 'dryRun')) return planWithEngine(invocation)
    const opened = await openForCommand(invocation)
    const { deployment, settings, place } = opened
    try {
      const host = await hostFilesOf(deployment)
      const judgement = await judgeTip(deployment, host)
      if (!reads(judgement)) {
        if (isSet(own, 'json')) output.printJson(problemsJson(judgement.problems))
        else
          output.print([
            ...problemLines(judgement.problems, { palette: output.palette, place }),
            'Nothing was changed.',
          ])
        return 1
      }
      const engine = await openEngine(settings, surroundings.env)
      try {
        const hold = await holdDeployment(deployment.state, engine.connection, judgement.tree.name, 'graft apply')
        if (!hold.held) {
          if (isSet(own, 'confirmRemovals')) return await confirmThroughDaemon(judgement, invocation, opened, hold)
          throw new Mistake(hold.because, hold.remedy)
        }
        try {
          const wish = deployment.wish(judgement, host, isSet(own, 'confirmRemovals'))
          return await bringAbout(judgement, wish, engine, invocation, opened)
        } finally {
          await hold.release()
        }
      } finally {
        engine.connection.close()
      }
    } finally {
      await deployment.close()
    }
  },
}

/** A daemon does the removing, because it holds the deployment; it takes the word for the commit it has in force. */
async function confirmThroughDaemon(
  { commit, tree }: Accepted,
  { surroundings, output, own }: Invocation,
  { deployment }: Opened,
  hold: { readonly because: string; readonly remedy: string },
): Promise<number> {
  const sockets = await socketsOf(deployment, surroundings.env)
  const id = commit?.id ?? ''
  const confirmed = await askDaemon(sockets, (socket) => askConfirmRemovals(socket, id))
  if (confirmed === null) throw new Mistake(hold.because, hold.remedy)
  if (!confirmed) {
    throw new Mistake(
      `the daemon has another commit of ${tree.name} in force than ${id.slice(0, 7)}`,
      'wait until graft status shows this commit, then say it again',
    )
  }
  if (isSet(own, 'json')) output.printJson({ format: 1, confirmed: true, commit: id })
  else output.print([`the daemon removes what ${id.slice(0, 7)} no longer declares; graft status --watch shows it`])
  return 0
}

async function bringAbout(
  judgement: Accepted,
  wish: Turn['wish'],
  { engine }: OpenedEngine,
  { surroundings, own, output }: Invocation,
  { deployment, place }: Opened,
): Promise<number> {
  const json = isSet(own, 'json')
  const { palette } = output
  // With --json the data goes to stdout, and a person may still watch on stderr.
  const terminal = json ? output.stderr : output.stdout
  const view = createProgressView(json ? output.errorPalette : palette)
  const screen = openLiveScreen(terminal, (columns, rows) => view.live(Date.now(), columns, rows))
  let quiet = true
  const report = (progress: Progress) => {
    const lines = view.take(progress, Date.now())
    const begun = terminal.isTerminal ? null : plainLine(progress)
    const told = lines.length > 0 ? lines : begun === null ? [] : [begun]
    if (told.length === 0) return
    quiet = false
    screen.settle(told)
  }
  const reconciler = await openReconciler(deployment, engine, {
    report,
    probed: () => new Map(),
    onChange: () => undefined,
  })
  const abort = new AbortController()
  const stopped = surroundings.onStop(() => {
    if (abort.signal.aborted) surroundings.exit(130)
    abort.abort()
    screen.settle([
      palette.changed(
        'stopping: what is at its gate is taken back, what is in hand is finished (once more to end at once)',
      ),
    ])
    void reconciler.stop()
  })
  const begun = Date.now()
  let first: Turn | null = null
  const onTurn = (turn: Turn) => {
    if (first === null) {
      first = turn
      screen.settle([...headLines(judgement, palette, place), ...gainLines(turn.plan.verdicts, palette)])
    }
    view.planned(turn.plan)
  }
  try {
    const { turn: last, results } = await reconciler.settle(wish, abort.signal, onTurn)
    // After a stop the last plan tells what was begun; what is there now is worth another look.
    const turn = abort.signal.aborted ? await reconciler.look(wish) : last
    screen.close()
    const inSync = isInSync(turn) && !abort.signal.aborted
    if (json) output.printJson(applyJson(turn.plan, judgement.commit, judgement.problems, results, inSync))
    else {
      const took = `${duration(Date.now() - begun)}${abort.signal.aborted ? ', stopped before the end' : ''}`
      // Its empty first line parts it from the progress above; without any, the head has one already.
      output.print(summaryLines(turn.plan, didWork(results), took, palette).slice(quiet ? 1 : 0))
    }
    return abort.signal.aborted ? 130 : inSync ? 0 : 1
  } finally {
    screen.close()
    stopped()
  }
}

function headLines(
  judgement: Accepted,
  palette: Invocation['output']['palette'],
  place: (file: string) => string,
): string[] {
  const { commit, problems, tree } = judgement
  const what = commit === null ? '' : `  ${commitText(commit, palette, Date.now())}`
  return [
    `${palette.bold(tree.name)}${what}`,
    '',
    ...problemLines(problems, { palette, place }),
    ...(problems.length > 0 ? [''] : []),
  ]
}

/** Everything as declared; a suspended set is left alone on purpose. */
function isInSync({ plan, wish }: Turn): boolean {
  if (plan.removalHeld !== null) return false
  return plan.verdicts.every(
    ({ kind, leaf }) =>
      kind === 'keep' || kind === 'move' || (kind === 'hold' && wish.tree.leaves.get(leaf)?.suspend === true),
  )
}

function didWork(results: readonly TableResult[]): number {
  return results.filter(
    ({ outcome, table }) => outcome.kind === 'done' && table.leaves.length > 0 && table.commit.length > 0,
  ).length
}
