// Runs one table: prepare, commit, cleanup. A step that fails in prepare or commit runs the undos backwards, its own
// first; a step that fails in cleanup is reported, and the next turn finds what it left.

import type { Action, Step, Table } from '../plan/step.ts'
import type { Bench } from './bench.ts'
import { EngineFault, type FaultKind } from './engine.ts'
import { Interference } from './exit-blame.ts'
import { beginMeasuring, type Measuring } from './measure.ts'
import { SpecFailure, Superseded, type Availability, type Outcome, type TableResult } from './outcome.ts'
import { capture, DownButThere, perform } from './perform.ts'
import { sectionsOf, slotBefore } from './sections.ts'
import type { Release, Throttle } from './throttle.ts'

/** Never throws: every way to end is an outcome. */
export async function executeTable(table: Table, bench: Bench, throttle: Throttle): Promise<TableResult> {
  const begun = bench.clock.steady()
  const leftovers: string[] = []
  const downSince = new Map<string, number>()
  const gaps = new Map<string, number>()
  const followed = [...table.commit, ...table.cleanup].some(({ action }) => action.do === 'ingress')
  let measuring: Measuring | null = null
  bench.report({ kind: 'table-started', table })
  const outcome = await forward()
  if (outcome.kind === 'done') await cleanUp()
  const endedAt = bench.clock.now()
  const result: TableResult = {
    table,
    outcome,
    leftovers,
    // Also where the host's clock was set meanwhile.
    startedAt: endedAt - (bench.clock.steady() - begun),
    endedAt,
    gates: bench.gates,
    drains: bench.drains,
    availability: await measured(),
    gaps,
  }
  bench.report({ kind: 'table-ended', result })
  return result

  async function forward(): Promise<Outcome> {
    const tried: Step[] = []
    try {
      await carryOut(table.prepare, tried, stopWhereSuperseded)
      if (table.commit.length > 0) await measure()
      await carryOut(table.commit, tried, () => undefined)
      return { kind: 'done' }
    } catch (error) {
      if (!leavesJob(error, tried)) await undo(tried, error)
      return outcomeOf(error)
    }
  }

  function stopWhereSuperseded(): void {
    if (bench.signal.aborted) throw new Superseded(String(bench.signal.reason ?? 'stopped'))
  }

  /** `mayGoOn` throws where the table is to be taken back instead. */
  async function carryOut(steps: readonly Step[], tried: Step[], mayGoOn: () => void): Promise<void> {
    const slotAt = slotBefore(steps.map(({ action }) => action.do))
    const fromSlot = slotAt === null ? null : steps[slotAt]
    let slot: Release | null = null
    try {
      for (const section of sectionsOf(steps, ({ action }) => action)) {
        mayGoOn()
        if (fromSlot != null && section.steps[0] === fromSlot) {
          // Everything that may take a while comes before the first stop, so that nothing is down for it.
          slot = await throttle.take()
          mayGoOn()
          await measure()
          for (const { action } of steps) if (action.do === 'stop') await capture(action.container, bench)
        }
        if (section.kind === 'switching' && followed) {
          await bench.ingress.renaming(() => oneByOne(section.steps, tried, false))
        } else if (section.kind === 'proving') {
          await sideBySide(section.steps, tried)
        } else {
          await oneByOne(section.steps, tried, slot !== null)
        }
        // Starts that follow another one's gate go beyond the limit rather than keep a slot from others meanwhile.
        if (section.steps[0]?.action.do === 'start') slot?.()
      }
    } finally {
      slot?.()
    }
  }

  async function oneByOne(steps: readonly Step[], tried: Step[], atOnce: boolean): Promise<void> {
    for (const step of steps) {
      tried.push(step)
      if (step.action.do === 'stop') await capture(step.action.container, bench)
      noteDown(step)
      await run(step.action, bench, atOnce)
      noteGap(step)
    }
  }

  /** All new containers of a switch are watched while all old ones drain; the first failure ends it for all. */
  async function sideBySide(steps: readonly Step[], tried: Step[]): Promise<void> {
    const others = steps.filter(({ action }) => action.do !== 'prove')
    await oneByOne(others, tried, false)
    const failed = new AbortController()
    const together: Bench = { ...bench, closing: AbortSignal.any([bench.closing, failed.signal]) }
    const proofs = steps.filter(({ action }) => action.do === 'prove')
    tried.push(...proofs)
    const results = await Promise.allSettled(
      proofs.map(({ action }) =>
        run(action, together, false).catch((error: unknown) => {
          failed.abort()
          throw error
        }),
      ),
    )
    for (const result of results) if (result.status === 'rejected') throw result.reason
  }

  /**
   * A job that has begun is not stopped half way because graft ends, or the engine does not answer: it runs on, and the
   * next turn waits for it. One that is done is not thrown away because that could not be written down. Only where the
   * job is all there is to the table: nothing else may stay half done.
   */
  function leavesJob(error: unknown, tried: readonly Step[]): boolean {
    // What somebody did to it is taken back, and it runs anew.
    if (table.leaves.length > 1 || error instanceof Interference) return false
    const begun = tried.some(({ action }) => action.do === 'wait-job')
    return begun && (error instanceof EngineFault || (bench.closing.aborted && error instanceof Superseded))
  }

  /** `atOnce`: it has its slot already, or something is down for it. */
  async function run(action: Action, on: Bench, atOnce: boolean): Promise<void> {
    if (action.do === 'rename') {
      // Told when it is on its way: between the two renames of a switch a name is missing.
      const work = perform(action, on, null)
      bench.report({ kind: 'step', table, action, undo: false })
      return work
    }
    bench.report({ kind: 'step', table, action, undo: false })
    const work = () => perform(action, on, null)
    await (atOnce ? work() : throttle.run(action.do, work))
  }

  async function undo(tried: readonly Step[], failure: unknown): Promise<void> {
    const actions = tried.toReversed().flatMap((step) => step.undo)
    /**
     * What could not be taken down may run, now or when the engine has heard of the call: nothing starts beside it, and
     * nothing gets a policy back by which an engine would start it.
     */
    let mayRun: string | null = null
    /** The ingress could not be told of the names as they are again: what was to serve may still be sent requests. */
    let mayServe = false
    const down = new Set<string>()
    // A job that is done, which could not be written down: its container is what tells.
    const last = tried.at(-1)?.action
    const unmarked = last?.do === 'mark-job-done' ? last.leaf : null
    for (const section of sectionsOf(actions, (action) => action)) {
      const work = async () => {
        for (const action of section.steps) {
          if (action.do === 'stop' && down.has(action.container.name)) continue
          if (action.do === 'discard' && action.container.leaf === unmarked) continue
          if (mayServe && (action.do === 'stop' || action.do === 'discard')) {
            leftovers.push(`${action.do}: the ingress may still send to ${action.container.name}`)
            mayRun = action.container.name
            continue
          }
          if (mayRun !== null && bringsUp(action)) {
            leftovers.push(`${action.do}: not sure that ${mayRun} is down`)
            continue
          }
          const done = await takeBack(action, failure)
          if (done && action.do === 'stop') down.add(action.container.name)
          if (!done && takesDown(action)) mayRun = action.container.name
          if (!done && action.do === 'ingress') mayServe = true
        }
      }
      await (section.kind === 'switching' && followed ? bench.ingress.renaming(work) : work())
    }
  }

  /** Whether it went through, or there is nothing any more that it could be done to. */
  async function takeBack(action: Action, failure: unknown): Promise<boolean> {
    bench.report({ kind: 'step', table, action, undo: true })
    try {
      await perform(action, bench, failure)
      return true
    } catch (error) {
      leftovers.push(`${action.do}: ${messageOf(error)}`)
      return error instanceof DownButThere || (error instanceof EngineFault && error.kind === 'not-found')
    }
  }

  async function cleanUp(): Promise<void> {
    /** Leaves whose new container is down: the old one may be needed. */
    const kept = new Set<string>()
    /** Containers that could not be stopped: to remove one would end it without its grace. */
    const up = new Set<string>()
    for (const { action } of table.cleanup) {
      if ('container' in action && (kept.has(action.container.leaf) || up.has(action.container.name))) continue
      if (bench.closing.aborted) {
        leftovers.push(`${action.do}: left for the next start`)
        continue
      }
      try {
        await run(action, bench, false)
      } catch (error) {
        if (action.do === 'still-up') kept.add(action.leaf)
        if (action.do === 'stop') up.add(action.container.name)
        leftovers.push(`${action.do}: ${messageOf(error)}`)
      }
    }
  }

  /** Once a table; it must not fail because it could not be measured. */
  async function measure(): Promise<void> {
    measuring ??= await beginMeasuring(table.leaves, bench).catch(() => null)
  }

  async function measured(): Promise<ReadonlyMap<string, Availability>> {
    return (await measuring?.end()) ?? new Map()
  }

  /** A gap lasts from the stop of the live container until its successor has passed its gate. */
  function noteDown({ action }: Step): void {
    if (action.do === 'stop') downSince.set(action.container.leaf, bench.clock.steady())
  }

  function noteGap({ action }: Step): void {
    const since = action.do === 'gate' ? downSince.get(action.leaf) : undefined
    if (action.do === 'gate' && since !== undefined) gaps.set(action.leaf, bench.clock.steady() - since)
  }
}

type TakesDown = Extract<Action, { do: 'stop' | 'discard' | 'restart-policy' }>

/** An engine that restarts brings back what has a restart policy, also what was stopped. */
function takesDown(action: Action): action is TakesDown {
  return action.do === 'stop' || action.do === 'discard' || (action.do === 'restart-policy' && action.policy === 'no')
}

function bringsUp(action: Action): boolean {
  return action.do === 'start' || (action.do === 'restart-policy' && action.policy !== 'no')
}

const REPLANNED: ReadonlySet<FaultKind> = new Set(['name-taken', 'not-found', 'unreachable'])

function outcomeOf(thrown: unknown): Outcome {
  const error = thrown instanceof DownButThere ? thrown.cause : thrown
  if (error instanceof SpecFailure) return { kind: 'failed', leaf: error.leaf, message: error.message, log: error.log }
  if (error instanceof Superseded) return { kind: 'superseded', message: error.message }
  if (error instanceof EngineFault) {
    const replan = REPLANNED.has(error.kind)
    return { kind: 'fault', message: error.message, remedy: error.remedy, replan }
  }
  return { kind: 'fault', message: messageOf(error), remedy: 'It is tried again', replan: false }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
