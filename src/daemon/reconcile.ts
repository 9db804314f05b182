// One turn: look, plan, act. `apply` takes turns until nothing is left to do; the daemon takes one at every wake.

import type { Clock } from '../apply/clock.ts'
import type { Engine } from '../apply/engine.ts'
import type { TableResult } from '../apply/outcome.ts'
import type { Report } from '../apply/progress.ts'
import { createRunner } from '../apply/runner.ts'
import type { Problem } from '../desired/problem.ts'
import type { Tree } from '../desired/tree.ts'
import type { Observed } from '../plan/observed.ts'
import { FOLLOWING, onlyFollows } from '../plan/ingress-steps.ts'
import { plan } from '../plan/plan.ts'
import type { DepartedLeaf, Wait } from '../plan/planning.ts'
import type { RunDigest } from '../plan/run-digest.ts'
import { situations } from '../plan/situation.ts'
import type { Plan, Verdict } from '../plan/verdict.ts'
import type { LastSwap, RestartStatus } from '../report/status.ts'
import type { LastSwaps } from './last-swaps.ts'
import { lookAtIngress } from './look-at-ingress.ts'
import { createRestarts } from './restarts.ts'
import { meanwhileOf } from '../plan/meanwhile.ts'
import { createWaits, type SpecId } from './waits.ts'

/** What is to be, as far as it was accepted. */
export interface Wish {
  readonly tree: Tree
  readonly refused: ReadonlyMap<string, Problem>
  readonly departed: ReadonlyMap<string, DepartedLeaf>
  readonly removals: {
    readonly limit: (managed: number) => number
    readonly confirmed: boolean
    /** Ids of containers whose removal somebody approved. */
    readonly approved?: ReadonlySet<string>
  }
  /** Only these leaves are meant: nothing is made or removed that none of them uses. Left out: all. */
  readonly only?: ReadonlySet<string>
  /** Remembers the deployment's name and prefix on this host, before anything is made under them. */
  readonly bind: () => Promise<void>
}

export interface Turn {
  readonly wish: Wish
  readonly observed: Observed
  readonly plan: Plan
}

export interface ReconcilerOptions {
  readonly engine: Engine
  readonly clock: Clock
  readonly runDigest: RunDigest
  readonly mirror: (reference: string) => string
  readonly parallel: number
  readonly report: Report
  /** Health that graft's own probes saw, by leaf. */
  readonly probed: () => ReadonlyMap<string, boolean>
  /** Something ended: it is worth looking again. */
  readonly onChange: () => void
  /** Plays clients in every swap, whatever the leaves say. */
  readonly measure?: boolean
  /** Where swaps are noted; left out: nowhere. */
  readonly swaps?: LastSwaps
  /** Told of each table that ended, with what was planned for its leaves when it began. */
  readonly onResult?: (result: TableResult, verdicts: ReadonlyMap<string, Verdict>) => void
}

export interface Reconciler {
  /** Looks and plans; nothing is done. Throws EngineFault. */
  look(wish: Wish): Promise<Turn>
  /** Looks, plans and begins what is to be done. Throws EngineFault. */
  turn(wish: Wish): Promise<Turn>
  /** Turns until nothing is left that can be done now. `onTurn` is told of each before its tables begin. */
  settle(
    wish: Wish,
    signal: AbortSignal,
    onTurn?: (turn: Turn) => void,
  ): Promise<{ turn: Turn; results: readonly TableResult[] }>
  busy(): ReadonlySet<string>
  /** Forgets why a leaf waits; null: all leaves. */
  retry(leaf: string | null): void
  /** Gives these leaves new containers of the same generation, one after the other, in this order. */
  restart(leaves: readonly string[]): void
  /** The last restart that each leaf was asked for. */
  restarts(): ReadonlyMap<string, RestartStatus>
  lastSwaps(): ReadonlyMap<string, LastSwap>
  stop(): Promise<void>
}

/** How often `settle` looks again while a leaf waits for another one's health. */
const LOOK_AGAIN = 500

export function createReconciler(options: ReconcilerOptions): Reconciler {
  const { engine, clock, runDigest } = options
  const waits = createWaits()
  const restarts = createRestarts()
  /** What was planned for each leaf when its table began. */
  const verdicts = new Map<string, Verdict>()
  const ingress = lookAtIngress(engine)
  let results: TableResult[] = []
  let last: Turn | null = null
  /** How often in a row the engine had changed under a plan, by name. */
  const sideways = new Map<string, number>()
  const looking = new Set<Set<string>>()
  const runner = createRunner({ ...options, measure: options.measure ?? false, onEnd: ended })

  function ended(result: TableResult): void {
    results.push(result)
    const { table, outcome, leftovers } = result
    const now = clock.steady()
    const follows = onlyFollows(table)
    const names = follows || table.leaves.length === 0 ? [follows ? FOLLOWING : table.id] : table.leaves
    for (const touched of looking) for (const name of [table.id, ...table.leaves]) touched.add(name)
    for (const leaf of names) {
      const spec = specOf(follows ? (table.leaves[0] ?? leaf) : leaf)
      const kind = verdictOn(leaf)
      const isMend = kind === 'restore' || kind === 'hold' || kind === 'refuse'
      // That what is held could not be kept running says nothing of its next swap, nor the other way round.
      const name = isMend && kind !== 'restore' ? meanwhileOf(leaf) : leaf
      if (outcome.kind === 'done') {
        if (leftovers.length > 0) waits.fault(name, spec, leftovers.join('; '), now)
        else if (!isOnTheWay(kind, table)) {
          waits.succeeded(name)
          sideways.delete(name)
        }
        // That it stops is what was asked for: however often it was mended before, it is to start when that is asked for.
        if (kind === 'stop' && leftovers.length === 0) waits.forget(name)
        if (isMend) waits.mended(name, spec, now)
      } else if (outcome.kind === 'failed' && leftovers.length > 0) {
        // What would tell the next turn that it failed may not be there.
        waits.fault(name, spec, [outcome.message, ...leftovers].join('; '), now)
      } else if (outcome.kind !== 'fault' && isMend) {
        waits.fault(name, spec, outcome.message, now)
      } else if (outcome.kind === 'fault') {
        // The engine changed under the plan: look again at once, but not for ever.
        const count = (sideways.get(name) ?? 0) + (outcome.replan ? 1 : 0)
        sideways.set(name, count)
        if (!outcome.replan || count > 3) waits.fault(name, spec, outcome.message, now)
      }
    }
    if (outcome.kind === 'failed') for (const name of names) restarts.failed(name, outcome.message)
    options.swaps?.note(result, verdicts)
    options.onResult?.(result, verdicts)
    options.onChange()
  }

  function verdictOn(name: string): string | undefined {
    return verdicts.get(name)?.kind
  }

  /** Of a leaf whose table had begun before, what was planned then is kept. */
  function keepVerdicts({ plan: { verdicts: planned } }: Turn): void {
    const busy = runner.busy()
    for (const verdict of planned) {
      if (!(verdict.kind === 'hold' && busy.has(verdict.leaf))) verdicts.set(verdict.leaf, verdict)
    }
  }

  function specOf(name: string): SpecId {
    const leaf = last?.wish.tree.leaves.get(name)
    if (leaf === undefined) return { generation: 0, digest: '', state: 'running' }
    return { generation: leaf.generation, digest: runDigest(leaf), state: leaf.state }
  }

  async function look(wish: Wish): Promise<Turn> {
    // What is worked on while the engine is being looked at may look half done: it is left to the next turn.
    const touched = new Set(runner.busy())
    looking.add(touched)
    try {
      return await lookAround(wish, touched)
    } finally {
      looking.delete(touched)
    }
  }

  async function lookAround(wish: Wish, touched: ReadonlySet<string>): Promise<Turn> {
    const references = new Set([...wish.tree.leaves.values()].map(({ spec }) => options.mirror(spec.image)))
    const [observed, serves] = await ingress.look(wish.tree, engine.observe(wish.tree.name, [...references]))
    const found = situations(wish.tree, observed)
    const busy = new Set([...touched, ...runner.busy()])
    const due = restarts.due(wish.tree, (leaf) => found.get(leaf)?.live?.id ?? null)
    const managed = new Set(observed.containers.map(({ labels }) => labels.leaf)).size
    const planned = plan({
      tree: wish.tree,
      observed,
      refused: wish.refused,
      departed: wish.departed,
      runDigest,
      mirror: options.mirror,
      waits: byTheHostsClock(waits.current(), clock),
      busy,
      removals: { ...wish.removals, limit: wish.removals.limit(managed) },
      ...(wish.only === undefined ? {} : { only: wish.only }),
      probed: options.probed(),
      ingress: serves,
      leftOut: new Set(runner.leftOut().keys()),
      restarts: due,
      gaps: measuredGaps(options.swaps?.all() ?? NO_SWAPS),
      now: clock.now(),
    })
    restarts.planned(planned.verdicts, busy)
    return { wish, observed, plan: { ...planned, notes: [...planned.notes, ...notServed(runner.leftOut())] } }
  }

  async function turn(wish: Wish, onTurn?: (turn: Turn) => void): Promise<Turn> {
    last = await look(wish)
    keepVerdicts(last)
    if (last.plan.tables.length > 0) await wish.bind()
    onTurn?.(last)
    runner.adopt(last.plan, wish.tree)
    return last
  }

  return {
    look,
    turn,
    async settle(wish, signal, onTurn) {
      results = []
      const deadlines = [...wish.tree.leaves.values()].map(({ update }) => update.deadline)
      const until = clock.steady() + Math.max(0, ...deadlines)
      for (;;) {
        const ended = results.length
        const taken = await turn(wish, onTurn)
        await runner.settled()
        const awaits = taken.plan.verdicts.some((verdict) => verdict.awaits !== null)
        // A plan of which nothing began will not get further in the next turn either.
        const isStuck = taken.plan.tables.length > 0 && results.length === ended
        if (signal.aborted || isStuck || (taken.plan.tables.length === 0 && !(awaits && clock.steady() < until))) {
          await options.swaps?.written()
          return { turn: taken, results }
        }
        if (taken.plan.tables.length === 0) await clock.sleep(LOOK_AGAIN, signal)
      }
    },
    busy: () => runner.busy(),
    retry(leaf) {
      waits.forget(leaf)
      if (leaf !== null) waits.forget(meanwhileOf(leaf))
    },
    restart: (leaves) => restarts.ask(leaves, clock.now()),
    restarts: () => restarts.states(),
    lastSwaps: () => options.swaps?.all() ?? NO_SWAPS,
    async stop() {
      await runner.stop()
      await options.swaps?.written()
    },
  }
}

/** What was left half done is cleared away, or the image is there: whether the swap itself goes well is not known yet. */
function isOnTheWay(kind: string | undefined, { prepare, commit }: TableResult['table']): boolean {
  const onlyPulls = commit.length === 0 && prepare.length > 0 && prepare.every(({ action }) => action.do === 'image')
  return kind === 'recover' || onlyPulls
}

/** Waits are counted by the steady clock, so that one that is set back makes none longer; what is shown are times. */
function byTheHostsClock(waits: ReadonlyMap<string, Wait>, clock: Clock): Map<string, Wait> {
  const shift = clock.now() - clock.steady()
  return new Map([...waits].map(([name, wait]) => [name, { ...wait, until: wait.until + shift }]))
}

function notServed(leftOut: ReadonlyMap<string, string>): string[] {
  return [...leftOut].map(([leaf, words]) => `the ingress does not serve ${leaf} as it is declared: ${words}`)
}

const NO_SWAPS: ReadonlyMap<string, LastSwap> = new Map()

/** Of swaps that had one: what a next one is expected to take. */
function measuredGaps(swaps: ReadonlyMap<string, LastSwap>): Map<string, number> {
  const gaps = new Map<string, number>()
  for (const [leaf, { gap, order }] of swaps) if (order === 'stop-first' && gap !== null) gaps.set(leaf, gap)
  return gaps
}
