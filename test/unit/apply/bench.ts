// What a table needs to run in a test: the engine in memory and a clock that is moved by hand.

import type { Engine } from '../../../src/apply/engine.ts'
import { executeTable } from '../../../src/apply/execute-table.ts'
import type { Bench } from '../../../src/apply/bench.ts'
import { createIngressKeeper } from '../../../src/apply/ingress-keeper.ts'
import type { TableResult } from '../../../src/apply/outcome.ts'
import type { Progress } from '../../../src/apply/progress.ts'
import { createThrottle } from '../../../src/apply/throttle.ts'
import type { Tree } from '../../../src/desired/tree.ts'
import { renderIngress } from '../../../src/plan/ingress-config.ts'
import type { Table } from '../../../src/plan/step.ts'
import { planOf, runDigest, type Host } from '../plan/build.ts'
import { words } from '../plan/render-table.ts'

export interface TestBench extends Bench {
  readonly abort: AbortController
  readonly close: AbortController
  readonly told: Progress[]
}

export function benchOn(host: Host, tree: Tree, engine: Engine = host.engine): TestBench {
  const abort = new AbortController()
  const close = new AbortController()
  const told: Progress[] = []
  const report = (progress: Progress) => told.push(progress)
  const { clock } = host
  return {
    engine,
    clock,
    tree,
    runDigest,
    report,
    ingress: createIngressKeeper({ engine, clock, render: renderIngress, newest: () => null, report }),
    measure: false,
    signal: abort.signal,
    closing: close.signal,
    created: new Map(),
    images: new Map(),
    gates: new Map(),
    drains: new Map(),
    captured: new Map(),
    remade: new Map(),
    abort,
    close,
    told,
  }
}

/** The one table of the plan for what is there now. */
export async function tableFor(host: Host, tree: Tree): Promise<Table> {
  const [table, ...others] = planOf(tree, await host.observe(tree)).tables
  if (table === undefined || others.length > 0) throw new Error(`${others.length + (table ? 1 : 0)} tables`)
  return table
}

export function execute(table: Table, bench: TestBench): Promise<TableResult> {
  return executeTable(table, bench, createThrottle(4))
}

/** What was done, in order, undos in brackets. */
export function done(bench: TestBench): string[] {
  return bench.told.flatMap((progress) =>
    progress.kind === 'step' ? [progress.undo ? `(${words(progress.action)})` : words(progress.action)] : [],
  )
}
