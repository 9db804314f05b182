// Before the daemon can hold a deployment it must know which engine and which deployment: waits for both, with growing
// pauses, and says once what is missing.

import type { Logger } from 'pino'

import { systemClock as clock } from '../apply/clock.ts'
import { EngineFault } from '../apply/engine.ts'
import type { News } from '../daemon/news.ts'
import type { Deployment } from '../daemon/open-deployment.ts'
import { stateFault } from '../daemon/state-fault.ts'
import { duration } from '../report/durations.ts'
import { RepositoryFault } from '../repository/repository.ts'
import type { CommitFacts } from '../repository/snapshot.ts'
import { newsEntry } from './news-log.ts'
import { reads } from './open-command.ts'
import { openEngine, type OpenedEngine } from './open-engine.ts'
import type { Surroundings } from './surroundings.ts'

interface Waiting {
  readonly log: Logger
  readonly signal: AbortSignal
}

/** Null where the signal came first. */
export function untilEngine(
  settings: Deployment['settings'],
  env: Surroundings['env'],
  waiting: Waiting,
): Promise<OpenedEngine | null> {
  return untilThere(waiting, 'engine', () => openEngine(settings, env))
}

/** The name of the newest commit that reads; null where the signal came first. */
export function untilNamed(deployment: Deployment, waiting: Waiting): Promise<string | null> {
  let told = ''
  return untilThere(waiting, 'repository', async () => {
    const commit = await tipOrLastSeen(deployment, waiting.signal)
    const host = await deployment.hostFiles()
    const judgement = await deployment.judgeTip(commit, host)
    if (reads(judgement)) return judgement.tree.name
    const earlier = await deployment.lastGood(commit, host)
    if (earlier !== null) return earlier.tree.name
    const kind = judgement.admitted ? 'unreadable' : 'not-admitted'
    const news: News = { kind, commit, problems: [...host.problems, ...judgement.problems], kept: null }
    if (told !== commit.id) write(waiting.log, news)
    told = commit.id
    return null
  })
}

/** Where the repository is away, the commit that was last seen will do; the daemon follows when it is back. */
async function tipOrLastSeen({ repository, lastTip }: Deployment, signal: AbortSignal): Promise<CommitFacts> {
  try {
    return (await repository.refresh(signal)).commit
  } catch (error) {
    const last = error instanceof RepositoryFault && !signal.aborted ? await lastTip.read() : null
    if (last === null) throw error
    return repository.resolve(last)
  }
}

/**
 * Null where the signal came first. An engine that does not answer while the hold is taken, and a full disk under the
 * state folder, are waited for; a name on the engine that is somebody else's is the caller's.
 */
export function untilHeld<Done>(root: string, waiting: Waiting, take: () => Promise<Done>): Promise<Done | null> {
  return untilThere(waiting, 'engine', () => untilRoom(root, waiting, take))
}

/** Null where the signal came first. A full disk under the state folder is waited for; other failures are the caller's. */
async function untilRoom<Done>(
  root: string,
  { log, signal }: Waiting,
  work: () => Promise<Done>,
): Promise<Done | null> {
  for (let pause = FIRST_PAUSE; !signal.aborted; pause = Math.min(LONGEST_PAUSE, pause * 2)) {
    try {
      return await work()
    } catch (error) {
      const fault = stateFault(error, root)
      if (fault === null) throw error
      const again = `(again in ${duration(pause)})`
      log.warn(
        { event: 'state-fault', fault: fault.message, remedy: fault.remedy, retryIn: pause },
        `${fault.message}; ${fault.remedy} ${again}`,
      )
      await clock.sleep(pause, signal)
    }
  }
  return null
}

const FIRST_PAUSE = 1_000
const LONGEST_PAUSE = 60_000
/** A commit that does not read may be mended at any moment; looking costs little. */
const UNREADABLE_PAUSE = 5_000

async function untilThere<Found>(
  { log, signal }: Waiting,
  what: 'engine' | 'repository',
  look: () => Promise<Found | null>,
): Promise<Found | null> {
  let failures = 0
  let told = ''
  while (!signal.aborted) {
    let pause = UNREADABLE_PAUSE
    try {
      const found = await look()
      if (failures > 0) write(log, { kind: `${what}-back` })
      if (found !== null) return found
      failures = 0
      told = ''
    } catch (error) {
      if (signal.aborted) return null
      const away = error instanceof EngineFault && error.kind !== 'name-taken'
      if (!away && !(error instanceof RepositoryFault)) throw error
      failures++
      pause = Math.min(LONGEST_PAUSE, FIRST_PAUSE * 2 ** (failures - 1))
      const { message, remedy } = error
      if (told !== message) write(log, { kind: `${what}-fault`, message, remedy, retryIn: pause })
      told = message
    }
    await clock.sleep(pause, signal)
  }
  return null
}

function write(log: Logger, news: News): void {
  const entry = newsEntry(news)
  if (entry !== null) log[entry.level](entry.fields, entry.message)
}
