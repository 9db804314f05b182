// Runs one table: prepare, commit, cleanup. A step that fails in prepare or commit runs the undos backwards, its own
// first; a step that fails in cleanup is reported, and the next turn finds what it left.

import type { Step, Table } from '../plan/step.ts'
import { EngineFault, type FaultKind } from './engine.ts'
import { SpecFailure, Superseded, type Outcome, type TableResult } from './outcome.ts'
import { perform, type Bench } from './perform.ts'

/** Limits how many of the engine's slow calls go on at once. */
export type Throttle = <T>(step: Step['action'], work: () => Promise<T>) => Promise<T>

/** Never throws: every way to end is an outcome. */
export async function executeTable(table: Table, bench: Bench, throttle: Throttle): Promise<TableResult> {
  const startedAt = bench.clock.now()
  const leftovers: string[] = []
  const downSince = new Map<string, number>()
  const gaps = new Map<string, number>()
  bench.report({ kind: 'table-started', table })
  const outcome = await forward()
  if (outcome.kind === 'done') await cleanUp()
  const result: TableResult = {
    table,
    outcome,
    leftovers,
    startedAt,
    endedAt: bench.clock.now(),
    gates: bench.gates,
    drains: new Map(),
    availability: new Map(),
    gaps,
  }
  bench.report({ kind: 'table-ended', result })
  return result

  async function forward(): Promise<Outcome> {
    const tried: Step[] = []
    try {
      for (const step of table.prepare) {
        if (bench.signal.aborted) throw new Superseded(String(bench.signal.reason ?? 'stopped'))
        tried.push(step)
        noteDown(step)
        await run(step)
        noteGap(step)
      }
      for (const step of table.commit) {
        tried.push(step)
        await run(step)
      }
      return { kind: 'done' }
    } catch (error) {
      if (!leavesJob(error, tried)) await undo(tried, error)
      return outcomeOf(error)
    }
  }

  /**
   * A job that has begun is not stopped half way because graft ends, or the engine does not answer: it runs on, and the
   * next turn waits for it. Only where the job is all there is to the table: nothing else may stay half done.
   */
  function leavesJob(error: unknown, tried: readonly Step[]): boolean {
    const isJob = tried.at(-1)?.action.do === 'wait-job' && table.leaves.length === 1
    return isJob && (error instanceof EngineFault || (bench.closing.aborted && error instanceof Superseded))
  }

  async function run({ action }: Step): Promise<void> {
    bench.report({ kind: 'step', table, action, undo: false })
    await throttle(action, () => perform(action, bench, null))
  }

  async function undo(tried: readonly Step[], failure: unknown): Promise<void> {
    for (const step of tried.toReversed()) {
      for (const action of step.undo) {
        bench.report({ kind: 'step', table, action, undo: true })
        try {
          await perform(action, bench, failure)
        } catch (error) {
          leftovers.push(`${action.do}: ${messageOf(error)}`)
        }
      }
    }
  }

  async function cleanUp(): Promise<void> {
    for (const step of table.cleanup) {
      if (bench.closing.aborted) {
        leftovers.push(`${step.action.do}: left for the next start`)
        continue
      }
      try {
        await run(step)
      } catch (error) {
        leftovers.push(`${step.action.do}: ${messageOf(error)}`)
      }
    }
  }

  /** A gap lasts from the stop of the live container until its successor has passed its gate. */
  function noteDown({ action }: Step): void {
    if (action.do === 'stop') downSince.set(action.container.leaf, bench.clock.now())
  }

  function noteGap({ action }: Step): void {
    const since = action.do === 'gate' ? downSince.get(action.leaf) : undefined
    if (action.do === 'gate' && since !== undefined) gaps.set(action.leaf, bench.clock.now() - since)
  }
}

const REPLANNED: ReadonlySet<FaultKind> = new Set(['name-taken', 'not-found', 'unreachable'])

function outcomeOf(error: unknown): Outcome {
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
