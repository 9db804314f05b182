// The engine itself is killed and started again: what comes back is a matter of restart policies, and with live-restore
// nothing goes down at all.

import { EngineFault } from '../../apply/engine.ts'
import { begin, halt, INITIAL_BACKOFF } from './lifecycle.ts'
import { emitDown, type MemoryContainer, type World } from './world.ts'

/**
 * Every container goes down with the engine. Then `always` comes back, also where somebody had stopped it; `on-failure`
 * comes back after any exit code but 0; `unless-stopped` and `no` stay exited. As measured on Docker 20.10 and 28.5.
 */
export function restartEngine(world: World, { liveRestore }: { readonly liveRestore: boolean }): void {
  const now = world.clock.steady()
  emitDown(world)
  for (const container of world.containers.values()) {
    Object.assign(container, { signalled: false, startKnown: false, endedBy: 'unknown' })
  }
  if (liveRestore) return
  for (const container of world.containers.values()) {
    if (container.state === 'created' || container.state === 'exited') continue
    halt(world, container, 255, now)
  }
  for (const container of world.containers.values()) {
    if (comesBack(container)) comeBack(world, container, now)
  }
}

function comesBack(container: MemoryContainer): boolean {
  const policy = container.restartPolicy.split(':')[0]
  return policy === 'always' || (policy === 'on-failure' && container.exitCode !== 0)
}

function comeBack(world: World, container: MemoryContainer, at: number): void {
  container.stoppedByHand = false
  container.backoff = INITIAL_BACKOFF
  try {
    begin(world, container, at)
  } catch (error) {
    // What an engine cannot start again it leaves exited, with its words.
    if (!(error instanceof EngineFault)) throw error
  }
}
