// Brings about what a wish says, once, with live progress: what `apply` does, and `restart` where no daemon runs.

import type { TableResult } from '../apply/outcome.ts'
import type { Progress } from '../apply/progress.ts'
import type { Accepted } from '../daemon/open-deployment.ts'
import type { OutcomeRecorder } from '../daemon/outcome-recorder.ts'
import type { Turn } from '../daemon/reconcile.ts'
import { plain } from '../report/columns.ts'
import { duration } from '../report/durations.ts'
import { gainLines } from '../report/gain-lines.ts'
import { applyJson } from '../report/json.ts'
import { problemLines } from '../report/problem-lines.ts'
import { plainLine } from '../report/progress-plain.ts'
import { createProgressView } from '../report/progress-view.ts'
import { commitText } from '../report/status-lines.ts'
import { summaryLines } from '../report/summary-lines.ts'
import { isSet, type Invocation } from './command.ts'
import { openLiveScreen } from './live-screen.ts'
import type { Opened } from './open-command.ts'
import { openReconciler, type OpenedEngine } from './open-engine.ts'

/** `restart`: leaves that get new containers of the same generation besides. `recorder`: told what comes of it. Resolves to the exit code. */
export async function bringAbout(
  judgement: Accepted,
  wish: Turn['wish'],
  engine: OpenedEngine,
  { surroundings, own, output }: Invocation,
  { deployment, place }: Opened,
  restart: readonly string[] = [],
  recorder: OutcomeRecorder | null = null,
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
  const reconciler = await openReconciler(
    deployment,
    { ...engine, name: wish.tree.name },
    {
      report,
      probed: () => new Map(),
      onChange: () => undefined,
      ...(recorder === null ? {} : { onResult: recorder.noteResult }),
    },
  )
  reconciler.restart(restart)
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
    recorder?.noteTurn(turn, reconciler.busy())
  }
  try {
    const { turn: last, results } = await reconciler.settle(wish, abort.signal, onTurn)
    // After a stop the last plan tells what was begun; what is there now is worth another look.
    const turn = abort.signal.aborted ? await reconciler.look(wish) : last
    screen.close()
    if (!abort.signal.aborted) recorder?.finish(turn)
    const undone = [...reconciler.restarts()].filter(([, { state }]) => state !== 'done')
    const inSync = isInSync(turn) && !abort.signal.aborted
    if (json) {
      const data = applyJson(turn.plan, judgement.commit, judgement.problems, results, inSync)
      output.printJson(restart.length === 0 ? data : { ...data, restarts: Object.fromEntries(reconciler.restarts()) })
    } else {
      const took = `${duration(Date.now() - begun)}${abort.signal.aborted ? ', stopped before the end' : ''}`
      // Its empty first line parts it from the progress above; without any, the head has one already.
      output.print(summaryLines(turn.plan, didWork(results), took, palette, results).slice(quiet ? 1 : 0))
      for (const [leaf, { message }] of undone) output.print([notRestarted(leaf, message, palette)])
    }
    return abort.signal.aborted ? 130 : inSync && undone.length === 0 ? 0 : 1
  } finally {
    screen.close()
    stopped()
  }
}

export function notRestarted(leaf: string, message: string | null, palette: Invocation['output']['palette']): string {
  return `${palette.bad('✗')} ${palette.bold(leaf)}  not restarted${message === null ? '' : `: ${plain(message)}`}`
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
