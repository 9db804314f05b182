// graft run: the daemon. Waits until repository and engine can be read, takes the hold, and follows both for good.

import type { Logger } from 'pino'

import { systemClock as clock } from '../apply/clock.ts'
import { createHealthWatch } from '../daemon/health-watch.ts'
import { startDaemon, type Daemon } from '../daemon/loop.ts'
import type { Deployment } from '../daemon/open-deployment.ts'
import { recordOutcomes } from '../daemon/record-outcomes.ts'
import { serveControl } from '../http/control-server.ts'
import type { Verdict } from '../plan/verdict.ts'
import { examples, type CommandModule } from './command.ts'
import { noteDaemon, socketIn } from './daemon-place.ts'
import { openForgeTalk, openWebhooks } from './forge-talk.ts'
import { takeHold } from './hold.ts'
import { openLog } from './log.ts'
import { newsEntry } from './news-log.ts'
import { Mistake } from './mistakes.ts'
import { openForCommand } from './open-command.ts'
import { openReconciler, type OpenedEngine } from './open-engine.ts'
import { progressEntry } from './progress-log.ts'
import type { Surroundings } from './surroundings.ts'
import { untilEngine, untilNamed, untilHeld } from './wait-until-ready.ts'

export const runCommand: CommandModule = {
  configure(command) {
    command
      .description(
        'Follows the repository for good: a new commit, a change on the engine, a timer or SIGHUP makes it look again.\nLogs one JSON line for each thing that happens; on a terminal it is readable. SIGTERM and Ctrl-C finish or take back what is in hand and end it; a second one ends it at once.',
      )
      .addHelpText(
        'after',
        examples([
          ['graft run --repo https://git.example/site.git', 'follow the HEAD branch'],
          ['graft run --ref stable --poll 60', 'another branch, looked at once a minute'],
          ['kill -HUP PID', 'look now'],
        ]),
      )
  },
  async run(invocation) {
    const { surroundings, output } = invocation
    const { deployment, settings } = await openForCommand(invocation)
    const log = await openLog(output, settings.log_level)
    const abort = new AbortController()
    const stopped = surroundings.onStop((signal) => {
      if (abort.signal.aborted) surroundings.exit(signal === 'SIGINT' ? 130 : 143)
      log.info({ event: 'stopping', signal }, `${signal}: finishing what is in hand`)
      abort.abort()
    })
    try {
      log.info(
        { event: 'started', repository: deployment.repository.description, state: settings.state },
        `follows ${deployment.repository.description}`,
      )
      const [engine, name] = await Promise.all([
        untilEngine(settings, surroundings.env, { log, signal: abort.signal }),
        untilNamed(deployment, { log, signal: abort.signal }),
      ])
      if (engine === null || name === null) return 0
      try {
        return await holdAndFollow(deployment, engine, name, { log, abort, surroundings })
      } finally {
        engine.connection.close()
      }
    } finally {
      stopped()
      await deployment.close()
    }
  },
}

interface Running {
  readonly log: Logger
  readonly abort: AbortController
  readonly surroundings: Surroundings
}

async function holdAndFollow(
  deployment: Deployment,
  opened: OpenedEngine,
  name: string,
  running: Running,
): Promise<number> {
  const { log, surroundings, abort } = running
  const tell = (words: string) => log.info({ event: 'lock' }, words)
  const taken = await untilHeld(deployment.state.root, { log, signal: abort.signal }, () =>
    takeHold(deployment, opened, { name, command: 'graft run', tell, signal: abort.signal }),
  )
  if (taken === null) return 0
  const { hold, engine: sure } = taken
  if (!hold.held) {
    if (abort.signal.aborted) return 0
    throw new Mistake(hold.because, hold.remedy)
  }
  const { connection } = sure
  try {
    log.info(
      { event: 'holds', deployment: name, engine: connection.url, version: connection.facts.version },
      `holds ${name} on ${connection.url}`,
    )
    const folder = deployment.state.deployment(name, connection.facts.id)
    return await follow(deployment, { ...sure, name }, socketIn(folder, surroundings.env), running, (isIdle) =>
      hold.renew(isIdle),
    )
  } finally {
    await hold.release()
    log.info({ event: 'ended' }, 'ended')
  }
}

/** Milliseconds that the end waits for notes that are being pushed. */
const LAST_WORDS = 3_000

async function follow(
  deployment: Deployment,
  { engine, connection, name }: OpenedEngine & { readonly name: string },
  socket: string,
  { log, abort, surroundings }: Running,
  stillOurs: (isIdle: () => boolean) => Promise<void>,
): Promise<number> {
  const { signal } = abort
  let wake = (): void => undefined
  let pushed = (): void => undefined
  const closeWebhooks = await openWebhooks(deployment.settings, () => pushed(), log)
  const { settings, host, book } = deployment
  const talk = openForgeTalk({ settings, host, clock, log })
  book.onFault((fault) =>
    write(log, newsEntry(fault === null ? { kind: 'notes-back' } : { kind: 'notes-fault', ...fault })),
  )
  book.catchUp()
  const recorder = recordOutcomes(deployment, name, clock, {
    onPending: (commit) => talk?.pending(commit),
    onOutcome(record) {
      write(log, newsEntry({ kind: 'outcome', record }))
      talk?.outcome(record)
    },
  })
  const health = createHealthWatch(engine, clock, signal, () => wake())
  const verdicts = new Map<string, Verdict>()
  const reconciler = await openReconciler(
    deployment,
    { engine, connection, name },
    {
      report: (progress) => write(log, progressEntry(progress, verdicts)),
      probed: () => health.seen(),
      onChange: () => wake(),
      onResult: recorder.noteResult,
    },
  )
  const daemon = startDaemon(
    {
      deployment,
      engine,
      reconciler,
      clock,
      signal,
      probed: () => health.seen(),
      probeOutput: (leaf) => health.output(leaf),
      stillOurs: () => stillOurs(() => reconciler.busy().size === 0),
      tell: (news) => write(log, newsEntry(news)),
      recorder,
      onTurn(turn) {
        health.follow(turn)
        // Of a leaf whose table had begun before, the reason why it began is kept.
        const busy = reconciler.busy()
        for (const verdict of turn.plan.verdicts) {
          const begunBefore = verdict.kind === 'hold' && busy.has(verdict.leaf)
          if (!begunBefore) verdicts.set(verdict.leaf, verdict)
        }
      },
    },
    (callback) => (wake = callback),
  )
  pushed = () => daemon.pushed()
  const unhook = surroundings.onHangUp(() => {
    log.info({ event: 'asked', signal: 'SIGHUP' }, 'SIGHUP: looks again')
    daemon.wake('SIGHUP')
  })
  const closeSocket = await listen(socket, daemon, deployment, connection.url, log)
  try {
    await daemon.ended
    return 0
  } finally {
    // Where one of its loops broke, the others end, too, and with them the process.
    abort.abort()
    unhook()
    await closeWebhooks()
    await recorder.told()
    await Promise.all([book.settled(LAST_WORDS), talk?.end()])
    await closeSocket()
  }
}

/** A daemon that cannot be asked still does its work. */
async function listen(
  socket: string,
  daemon: Daemon,
  deployment: Deployment,
  engine: string,
  log: Logger,
): Promise<() => Promise<void>> {
  try {
    const server = await serveControl(socket, daemon)
    const forget = await noteDaemon(deployment, { socket, engine }).catch(async (error: unknown) => {
      await server.close()
      throw error
    })
    return async () => {
      await forget()
      await server.close()
    }
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error)
    log.warn({ event: 'no-socket', socket, message }, `cannot be asked by graft status: ${message}`)
    return async () => undefined
  }
}

function write(log: Logger, entry: ReturnType<typeof newsEntry>): void {
  if (entry !== null) log[entry.level](entry.fields, entry.message)
}
