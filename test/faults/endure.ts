// One fault from its beginning to its end, with everything that must hold watched meanwhile.

import { expect } from 'vitest'

import type { FaultTable } from './fault-table.ts'
import type { Scene } from './scene.ts'
import { watchRunning } from './watch-running.ts'

export interface Fault {
  readonly name: string
  /** Makes it; a commit that is to be met by it is pushed here. */
  readonly begin: () => Promise<unknown>
  /** What the status must say while it lasts; a function finds it elsewhere. */
  readonly said: RegExp | (() => Promise<string>)
  /** Takes it away; a commit that mends it is pushed here. */
  readonly end: () => Promise<unknown>
  /** The generation that runs at the end; absent: the one that was pushed last. */
  readonly generation?: () => number
  /** Milliseconds from the end of the fault. */
  readonly patience?: number
  /** True where it never stands in the way of what is declared. */
  readonly harmless?: boolean
  /** Somebody else takes containers down: then clients are not served, and it is not graft's doing. */
  readonly excused?: boolean
}

/**
 * The start-first service answers every request, the invariants hold, the status says what is the matter, and what is
 * declared runs when it is over.
 */
export async function endure(scene: Scene, table: FaultTable, fault: Fault): Promise<void> {
  await scene.load.take()
  const { accepted } = scene
  const startFirst = fault.excused === true ? [] : ['web']
  const watch = watchRunning(scene, { startFirst, exclusive: ['store'], alone: ['data'], accepted })
  let said = ''
  let over = false
  let converged = 0
  try {
    await fault.begin()
    said = typeof fault.said === 'function' ? await fault.said() : await scene.says(fault.said, fault.patience)
    over = true
    await fault.end()
    converged = await scene.asDeclared(fault.generation?.() ?? scene.generation(), fault.patience)
  } finally {
    // So that the next one does not meet this one's fault, too.
    if (!over) await fault.end().catch(() => undefined)
    const [seen, load] = [await watch.stop(), await scene.load.take()]
    const store = seen.leaf('store')
    const ended = converged === 0 ? 'NEVER' : ''
    table.add({
      fault: fault.name,
      held: `${load.tried} requests, ${load.failed} failed, longest pause ${load.pause.toFixed(0)} ms; exclusive: ${store.fewest} to ${store.most}${ended}`,
      said,
      converged: fault.harmless === true ? null : converged,
    })
    expect(load.succeeded).toBeGreaterThan(20)
    if (fault.excused !== true) {
      expect(load.failures.slice(0, 5), scene.log().slice(-4000)).toEqual([])
    }
    expect(seen.looks).toBeGreaterThan(0)
    expect(seen.broken.slice(0, 5), scene.log().slice(-6000)).toEqual([])
    expect(await scene.bystanderIsAsItWas()).toBe(true)
  }
}
