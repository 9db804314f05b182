// Carries plans out: tables that do not wait for one another run side by side, and a newer plan takes over what has not
// begun. A table that is under way is left alone, unless the spec of its leaf has changed while it waits.

import type { Leaf, Tree } from '../desired/tree.ts'
import type { RunDigest } from '../plan/run-digest.ts'
import { renderIngress } from '../plan/ingress-config.ts'
import type { Table } from '../plan/step.ts'
import type { Plan } from '../plan/verdict.ts'
import type { Clock } from './clock.ts'
import type { Engine } from './engine.ts'
import { executeTable } from './execute-table.ts'
import { createIngressKeeper } from './ingress-keeper.ts'
import type { TableResult } from './outcome.ts'
import type { Report } from './progress.ts'
import { createThrottle } from './throttle.ts'

export interface Runner {
  /** Takes over a plan; what the plan before had not begun is dropped. */
  adopt(plan: Plan, tree: Tree): void
  /** Leaves and table ids that are being worked on. */
  busy(): ReadonlySet<string>
  /** Leaves whose ports the ingress does not serve as they are declared, with HAProxy's words. */
  leftOut(): ReadonlyMap<string, string>
  /** Resolves when nothing is under way and nothing can begin. */
  settled(): Promise<void>
  /** Begins nothing more; a candidate at its gate is undone, a job runs on, steps in hand are finished. */
  stop(): Promise<void>
}

export interface RunnerOptions {
  readonly engine: Engine
  readonly clock: Clock
  readonly runDigest: RunDigest
  /** Engine starts at a time. */
  readonly parallel: number
  /** Plays clients during every swap; left out: where a leaf asks for it. */
  readonly measure?: boolean
  readonly report: Report
  /** Called after each table, when its leaves are free again. */
  readonly onEnd: (result: TableResult) => void
}

interface Running {
  readonly table: Table
  readonly tree: Tree
  readonly abort: AbortController
}

export function createRunner(options: RunnerOptions): Runner {
  const throttle = createThrottle(options.parallel)
  let newest: Tree | null = null
  const ingress = createIngressKeeper({ ...options, render: renderIngress, newest: () => newest })
  const running = new Map<string, Running>()
  let waiting: { table: Table; tree: Tree }[] = []
  let done = new Set<string>()
  const closing = new AbortController()
  let idle: (() => void)[] = []

  function startReady(): void {
    if (!closing.signal.aborted) {
      const planned = new Set(waiting.map(({ table }) => table.id))
      for (const entry of waiting) {
        const { table } = entry
        const ready = table.after.every((id) => done.has(id) || !(planned.has(id) || running.has(id)))
        if (ready && !table.leaves.some((leaf) => isBusy(leaf))) begin(entry.table, entry.tree)
      }
      waiting = waiting.filter(({ table }) => !running.has(table.id))
    }
    if (running.size === 0) {
      const callbacks = idle
      idle = []
      for (const callback of callbacks) callback()
    }
  }

  function isBusy(leaf: string): boolean {
    for (const { table } of running.values()) if (table.leaves.includes(leaf)) return true
    return false
  }

  function begin(table: Table, tree: Tree): void {
    const abort = new AbortController()
    running.set(table.id, { table, tree, abort })
    const bench = {
      engine: options.engine,
      clock: options.clock,
      tree,
      runDigest: options.runDigest,
      report: options.report,
      ingress,
      measure: options.measure ?? false,
      signal: abort.signal,
      closing: closing.signal,
      created: new Map<string, string>(),
      images: new Map(),
      gates: new Map<string, number>(),
      drains: new Map(),
      captured: new Map(),
      remade: new Map<string, string>(),
    }
    void executeTable(table, bench, throttle).then(end)
  }

  function end(result: TableResult): void {
    const { id } = result.table
    running.delete(id)
    if (result.outcome.kind === 'done') done.add(id)
    else dropDependents(id)
    options.onEnd(result)
    startReady()
  }

  function dropDependents(failed: string): void {
    const dropped = new Set([failed])
    for (let grew = true; grew;) {
      grew = false
      for (const { table } of waiting) {
        const cause = table.after.find((id) => dropped.has(id))
        if (cause === undefined || dropped.has(table.id)) continue
        dropped.add(table.id)
        grew = true
        options.report({ kind: 'table-held', table, because: `${cause} did not go through` })
      }
    }
    waiting = waiting.filter(({ table }) => !dropped.has(table.id))
  }

  /** A newer commit wins at once over a candidate at its gate, where it changes that very leaf. */
  function abortSuperseded(tree: Tree): void {
    for (const { table, tree: own, abort } of running.values()) {
      if (!table.preemptible) continue
      const changed = table.leaves.find((name) => {
        const [before, after] = [own.leaves.get(name), tree.leaves.get(name)]
        if (before === undefined || before === after) return false
        return (
          after === undefined ||
          after.generation !== before.generation ||
          options.runDigest(after) !== options.runDigest(before) ||
          gateOf(after) !== gateOf(before)
        )
      })
      if (changed !== undefined) abort.abort(`a newer commit changes ${changed}`)
    }
  }

  return {
    adopt(plan, tree) {
      abortSuperseded(tree)
      newest = tree
      done = new Set()
      // What began after the plan's look is not as the plan saw it: those leaves are planned again when it ends.
      const fresh = plan.tables.filter(({ id, leaves }) => !running.has(id) && !leaves.some((leaf) => isBusy(leaf)))
      waiting = fresh.map((table) => ({ table, tree }))
      startReady()
    },
    busy() {
      const busy = new Set<string>()
      for (const { table } of running.values()) {
        busy.add(table.id)
        for (const leaf of table.leaves) busy.add(leaf)
      }
      return busy
    },
    leftOut: () => ingress.leftOut(),
    settled() {
      return running.size === 0 ? Promise.resolve() : new Promise((resolve) => idle.push(resolve))
    },
    async stop() {
      waiting = []
      closing.abort()
      for (const { abort } of running.values()) abort.abort('graft is stopping')
      await this.settled()
    },
  }
}

/** What a candidate has to prove, and whether it is wanted at all; no part of its spec. */
function gateOf({ probe, update: { deadline, settle }, state, suspend }: Leaf): string {
  return JSON.stringify([probe, deadline, settle, state, suspend])
}
