// The daemon: two loops that wake one another. One follows the repository and decides what is wanted, the other looks
// at the engine and begins what is to be done. Every wake reads everything again; events only say when to look.

import type { Clock } from '../apply/clock.ts'
import type { Engine } from '../apply/engine.ts'
import { isRemoteAddress } from '../repository/address.ts'
import type { CommitFacts } from '../repository/snapshot.ts'
import type { Problem } from '../desired/problem.ts'
import { listenToEngine } from './engine-events.ts'
import { faultWords } from './fault-words.ts'
import { createHealthNews } from './health-news.ts'
import type { Misnamed } from './named-set.ts'
import type { News } from './news.ts'
import { WORKED_ON } from '../plan/proposal.ts'
import type { Accepted, Deployment, Judgement } from './open-deployment.ts'
import type { OutcomeRecorder } from './outcome-recorder.ts'
import { createRetries, jittered, LOOK_AT_LEAST, untilRetry } from './pauses.ts'
import type { Reconciler, Turn, Wish } from './reconcile.ts'
import { chooseForRestart } from './restarts.ts'
import { stillMeant } from './still-meant.ts'
import { treeStatus, type RepositoryStatus, type Status } from './status.ts'
import { createWaker } from './waker.ts'

export interface DaemonOptions {
  readonly deployment: Deployment
  readonly engine: Engine
  readonly reconciler: Reconciler
  readonly clock: Clock
  readonly signal: AbortSignal
  readonly probed: () => ReadonlyMap<string, boolean>
  /** What graft's own probe of a leaf saw last; left out: not known. */
  readonly probeOutput?: (leaf: string) => string | null
  /** Throws EngineFault while another graft looks after the deployment: then nothing is done. */
  readonly stillOurs: () => Promise<void>
  /** Told what happens, in words; the caller logs it. */
  readonly tell: (news: News) => void
  /** Called after each turn with what runs, so that graft's own probes follow. */
  readonly onTurn: (turn: Turn) => void
  /** Follows what becomes of commits; left out: nobody wants to know. */
  readonly recorder?: OutcomeRecorder
}

export interface Daemon {
  /** Resolves when the signal is aborted and everything in hand is finished or undone. */
  readonly ended: Promise<void>
  /** Look at both, now. */
  wake(reason: string): void
  /** Somebody says that something was pushed: look at the repository, now. */
  pushed(): void
  /** Forgets why a leaf waits, and looks. */
  retry(leaf: string): void
  /** Gives the leaf, or all of the set, new containers of the same generation; says which leaves, or why none. */
  restart(asked: string): { readonly leaves: readonly string[] } | Misnamed
  /** Lets the plan for this very commit remove more than the limit; false where another commit is in force. */
  confirmRemovals(commit: string): boolean
  /**
   * Lets go what a plan of this very commit holds back, as it was seen: `digest` of what is held. False where another
   * commit is in force, or something else would go by now.
   */
  approve(commit: string, digest: string): boolean
  /** Answers once at least one more turn has been taken. */
  status(): Status
}

/** Events come in bursts; one look answers them all. */
const GATHER = 150
/** A local folder is watched; the poll is for what the watcher missed. */
const LOCAL_POLL = 5_000

export function startDaemon(options: DaemonOptions, onWake: (wake: () => void) => void): Daemon {
  const { deployment, engine, reconciler, clock, signal, tell } = options
  const since = clock.now()
  const repositoryWaker = createWaker(clock, signal)
  const engineWaker = createWaker(clock, signal)
  onWake(() => engineWaker.wake())
  const healthNews = createHealthNews()
  let wish: Wish | null = null
  let accepted: Accepted | null = null
  let judged: { id: string; fingerprint: string } | null = null
  let problems: readonly Problem[] = []
  let turn: Turn | null = null
  let holds = new Map<string, string>()
  let removalsTold = ''
  let engineFault: string | null = null
  let repository: RepositoryStatus = {
    description: deployment.repository.description,
    tip: null,
    seenAt: null,
    fault: null,
  }
  deployment.repository.onHint(() => repositoryWaker.wake())

  async function follow(): Promise<void> {
    const retries = createRetries(clock)
    while (!signal.aborted) {
      let pause = isRemoteAddress(deployment.settings.repo) ? deployment.settings.poll * 1000 : LOCAL_POLL
      try {
        const { commit } = await deployment.repository.refresh(signal)
        if (retries.succeeded()) tell({ kind: 'repository-back' })
        repository = { ...repository, tip: commit, seenAt: clock.now(), fault: null }
        await consider(commit)
        await deployment.lastTip.keep(commit.id)
      } catch (error) {
        if (signal.aborted) return
        const [message, remedy] = faultWords(error, deployment.state.root)
        pause = retries.failed()
        if (repository.fault?.message !== message) tell({ kind: 'repository-fault', message, remedy, retryIn: pause })
        repository = { ...repository, fault: { message, remedy } }
        await goOnWithWhatIsHere()
      }
      await repositoryWaker.wait(jittered(pause), 20)
    }
  }

  /** Judges a commit that is new, or old under changed host files, and takes it over where it reads. */
  async function consider(commit: CommitFacts): Promise<void> {
    const host = await deployment.hostFiles()
    if (judged?.id === commit.id && judged.fingerprint === host.fingerprint) return
    if (judged?.id !== commit.id) tell({ kind: 'commit', commit })
    const judgement = await deployment.judgeTip(commit, host)
    problems = [...host.problems, ...judgement.problems]
    const isGood = isAccepted(judgement)
    const good = isGood ? judgement : await lastGood(commit, host, judged?.fingerprint === host.fingerprint)
    if (isGood && host.problems.length === 0) await deployment.accepted.keep(commit.id)
    // Not before: what failed so far is tried again.
    judged = { id: commit.id, fingerprint: host.fingerprint }
    if (host.problems.length > 0) {
      tell({ kind: 'host-problems', problems: host.problems })
      if (accepted !== null) return
    }
    if (good !== judgement) {
      const kind = judgement.admitted ? 'unreadable' : 'not-admitted'
      tell({ kind, commit, problems: judgement.problems, kept: good?.commit?.id ?? null })
      options.recorder?.refuse(commit.id, judgement.problems)
    } else if (judgement.problems.length > 0) tell({ kind: 'problems', problems: judgement.problems })
    if (good === null || host.problems.length > 0) return
    accepted = good
    wish = stillMeant(deployment.wish(good, host, false), wish)
    options.recorder?.follow(good.commit?.id ?? commit.id, good.problems)
    engineWaker.wake('now')
  }

  /**
   * The repository is away: the commit that was last seen is still in the clone, and what the host allows may change
   * meanwhile.
   */
  async function goOnWithWhatIsHere(): Promise<void> {
    try {
      const id = judged?.id ?? (await deployment.lastTip.read())
      if (id !== null) await consider(await deployment.repository.resolve(id))
    } catch {
      // Why there is nothing new was said; it is all tried again.
    }
  }

  /**
   * The commit that ran before, judged anew where the host's files changed: a grant that was taken away counts at once.
   * After a start, the newest one that reads.
   */
  async function lastGood(
    commit: CommitFacts,
    host: Awaited<ReturnType<Deployment['hostFiles']>>,
    sameHost: boolean,
  ): Promise<Accepted | null> {
    if (accepted === null) return deployment.lastGood(commit, host)
    if (sameHost || accepted.commit === null) return accepted
    const anew = await deployment.judge(accepted.commit.id, host)
    return isAccepted(anew) ? anew : accepted
  }

  function tellHolds({ plan }: Turn): void {
    const now = new Map<string, string>()
    const busy = reconciler.busy()
    for (const { leaf, kind, because, awaits, toGeneration } of plan.verdicts) {
      const isBusy = busy.has(leaf) || because === WORKED_ON
      if ((kind !== 'hold' && kind !== 'refuse') || awaits !== null || isBusy) continue
      now.set(leaf, because)
      if (holds.get(leaf) !== because) tell({ kind: 'held', leaf, generation: toGeneration, because })
    }
    const removals = plan.removalHeld
    const digest = removals?.digest ?? ''
    if (removals !== null && digest !== removalsTold)
      tell({ kind: 'removals-held', held: removals, commit: plan.commit })
    removalsTold = digest
    holds = now
  }

  async function reconcile(): Promise<void> {
    const retries = createRetries(clock)
    while (!signal.aborted) {
      let pause = LOOK_AT_LEAST
      if (wish !== null) {
        try {
          const begun = clock.steady()
          await options.stillOurs()
          turn = await reconciler.turn(wish)
          if (retries.succeeded()) tell({ kind: 'engine-back' })
          engineFault = null
          options.onTurn(turn)
          options.recorder?.noteTurn(turn, reconciler.busy())
          tellHolds(turn)
          const probed = { healthy: options.probed(), output: options.probeOutput ?? (() => null) }
          for (const turned of healthNews(turn, probed)) tell({ kind: 'health', ...turned })
          tell({ kind: 'turn', turn, milliseconds: clock.steady() - begun })
          pause = Math.min(pause, untilRetry(turn, clock.now()))
        } catch (error) {
          const [message, remedy] = faultWords(error, deployment.state.root)
          pause = retries.failed()
          if (engineFault !== message) tell({ kind: 'engine-fault', message, remedy, retryIn: pause })
          engineFault = message
        }
      }
      await engineWaker.wait(pause, GATHER)
    }
  }

  const listening = listenToEngine({
    engine,
    clock,
    signal,
    deployment: () => accepted?.tree.name,
    busy: () => reconciler.busy(),
    wake: () => engineWaker.wake(),
  })
  const ended = Promise.all([follow(), reconcile(), listening]).then(() => reconciler.stop())
  return {
    ended,
    wake() {
      judged = null
      repositoryWaker.wake()
      engineWaker.wake()
    },
    pushed: () => repositoryWaker.wake('now'),
    retry(leaf) {
      reconciler.retry(leaf)
      engineWaker.wake()
    },
    restart(asked) {
      if (wish === null) {
        return { message: 'no commit is in force yet', remedy: 'see with graft status what the daemon waits for' }
      }
      const chosen = chooseForRestart(wish.tree, asked)
      if ('message' in chosen) return chosen
      tell({ kind: 'restart', leaves: chosen.leaves })
      reconciler.restart(chosen.leaves)
      engineWaker.wake()
      return chosen
    },
    approve(commit, digest) {
      const held = turn?.plan.removalHeld ?? null
      if (wish === null || wish.tree.commit?.id !== commit || held?.digest !== digest) return false
      wish = { ...wish, removals: { ...wish.removals, approved: new Set(held.ids) } }
      tell({ kind: 'removals-approved', held, commit })
      engineWaker.wake('now')
      return true
    },
    confirmRemovals(commit) {
      if (wish === null || wish.tree.commit?.id !== commit) return false
      wish = { ...wish, removals: { ...wish.removals, confirmed: true } }
      engineWaker.wake()
      return true
    },
    status: () => ({
      deployment: accepted?.tree.name ?? null,
      repository,
      engine: { url: engine.url, reachable: engineFault === null, message: engineFault },
      commit: accepted?.commit ?? null,
      problems,
      daemon: { pid: process.pid, since },
      ...(turn === null
        ? { tree: null, departed: [], removalHeld: null, notes: [] }
        : treeStatus(turn, {
            busy: reconciler.busy(),
            probed: options.probed(),
            swaps: reconciler.lastSwaps(),
            restarts: reconciler.restarts(),
          })),
    }),
  }
}

function isAccepted(judgement: Judgement): judgement is Accepted {
  return judgement.tree !== null
}
