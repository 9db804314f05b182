// How containers in memory live: start, exit, health and restart policies, in virtual time. What was due by now is
// made up for whenever somebody calls, in the order in which it was due.

import { EngineFault } from '../../apply/engine.ts'
import { behaviourOf } from './behaviour.ts'
import { emit, wallTime, type MemoryContainer, type World } from './world.ts'
import { claimedElsewhere, joinAddresses } from './claims.ts'

/** Docker's pause before a restart: doubled each time, forgotten after ten seconds of running (moby, restartmanager). */
const FIRST_BACKOFF = 100
const LONGEST_BACKOFF = 60_000
const LONG_ENOUGH = 10_000

/** Docker's defaults for a health check that does not say (Engine API 1.41, HealthConfig). */
const CHECK = { interval: 30_000, retries: 3, start_period: 0 }

/** Carries out everything that is due by now. */
export function catchUp(world: World): void {
  for (;;) {
    const due = nextDue(world)
    if (due === null || due.at > world.clock.steady()) return
    const { container, at } = due
    if (container.restartAt === at) restart(world, container, at)
    else if (container.exitAt === at) exit(world, container, behaviour(world, container).exitCode ?? 0, at)
    else changeHealth(world, container)
  }
}

/** When something happens next by itself, in the clock's steady time; null: never. */
export function nextTransition(world: World): number | null {
  return nextDue(world)?.at ?? null
}

/** Throws an EngineFault where it cannot start; `by hand` or by its policy is the caller's to know. */
export function begin(world: World, container: MemoryContainer, at: number): void {
  const script = behaviour(world, container)
  const conflict = claimedElsewhere(world, container)
  const words = conflict?.message ?? script.startError
  if (words !== undefined) {
    container.error = words
    if (conflict === null) container.exitCode = 127
    throw conflict ?? new EngineFault('start-failed', `${container.name}: ${words}`, "Correct the leaf's command.")
  }
  container.state = 'running'
  container.startedAt = wallTime(world, at)
  container.runsSince = at
  container.startKnown = true
  container.exitCode = 0
  container.error = ''
  container.restartAt = null
  container.exitAt = script.exitsAfter === undefined ? null : at + script.exitsAfter
  container.addresses = joinAddresses(world, container)
  for (const text of script.output ?? []) container.log.push({ stream: 'stdout', time: wallTime(world, at), text })
  if (container.ingress !== null) container.ingress.served = container.ingress.file
  planHealth(world, container, at)
  emit(world, container, 'start', at)
}

/** It no longer runs; its policy may bring it back. Keeps the order of an engine's events: `die` comes first. */
export function exit(world: World, container: MemoryContainer, exitCode: number, at: number): void {
  const ranFor = at - (container.runsSince ?? at)
  halt(world, container, exitCode, at)
  if (wantsRestart(container)) {
    container.backoff = ranFor >= LONG_ENOUGH ? FIRST_BACKOFF : Math.min(container.backoff * 2, LONGEST_BACKOFF)
    container.state = 'restarting'
    container.restartAt = at + container.backoff
  }
  emit(world, container, 'die', at)
}

/** Everything about its not running, without a restart. */
export function halt(world: World, container: MemoryContainer, exitCode: number, at: number): void {
  container.state = 'exited'
  container.exitCode = exitCode
  container.finishedAt = wallTime(world, at)
  container.endedBy = container.signalled ? 'signal' : container.startKnown ? 'itself' : 'unknown'
  container.exitAt = null
  container.restartAt = null
  container.healthChanges = []
  if (container.health !== 'none') container.health = 'unhealthy'
  container.addresses = new Map()
  if (container.ingress !== null) container.ingress.served = null
}

export const INITIAL_BACKOFF = FIRST_BACKOFF / 2

function restart(world: World, container: MemoryContainer, at: number): void {
  container.restartAt = null
  container.restartCount += 1
  try {
    begin(world, container, at)
  } catch (error) {
    if (!(error instanceof EngineFault)) throw error
    halt(world, container, container.exitCode === 0 ? 128 : container.exitCode, at)
    emit(world, container, 'die', at)
  }
}

/** A policy while the engine runs; what it does after the engine itself was down is engine-restart.ts. */
function wantsRestart(container: MemoryContainer): boolean {
  if (container.stoppedByHand) return false
  const [name, limit] = container.restartPolicy.split(':')
  if (name === 'always' || name === 'unless-stopped') return true
  if (name !== 'on-failure' || container.exitCode === 0) return false
  return limit === undefined || container.restartCount < Number(limit)
}

function planHealth(world: World, container: MemoryContainer, at: number): void {
  const own = container.running.healthcheck
  const image = world.images.get(container.imageId)?.facts.healthcheck ?? null
  const disabled = own !== undefined && 'disable' in own
  const timed = own === undefined || 'disable' in own ? {} : own
  container.healthChanges = []
  container.health = 'none'
  if (disabled || (timed.test === undefined && image === null)) return
  const { interval, retries, start_period } = { ...CHECK, ...image, ...timed }
  const script = behaviour(world, container)
  container.health = 'starting'
  const wellFrom = script.healthyAfter ?? 0
  // The engine looks once each interval, the first time after one.
  const passes = wellFrom === 'never' ? Infinity : Math.max(1, Math.ceil(wellFrom / interval)) * interval
  const givenUp = Math.ceil(start_period / interval) * interval + retries * interval
  if (givenUp < passes) container.healthChanges.push({ at: at + givenUp, health: 'unhealthy' })
  if (passes < Infinity) container.healthChanges.push({ at: at + passes, health: 'healthy' })
  if (script.sickAfter !== undefined) {
    const seen = Math.ceil(script.sickAfter / interval) * interval + (retries - 1) * interval
    container.healthChanges.push({ at: at + Math.max(seen, passes === Infinity ? 0 : passes), health: 'unhealthy' })
  }
}

function changeHealth(world: World, container: MemoryContainer): void {
  const change = container.healthChanges.shift()
  if (change === undefined) return
  const differs = container.health !== change.health
  container.health = change.health
  if (differs) emit(world, container, `health_status: ${change.health}`, change.at)
}

function nextDue(world: World): { container: MemoryContainer; at: number } | null {
  let first: { container: MemoryContainer; at: number } | null = null
  for (const container of world.containers.values()) {
    if (container.state !== 'running' && container.state !== 'restarting') continue
    const at = Math.min(
      container.restartAt ?? Infinity,
      container.exitAt ?? Infinity,
      container.healthChanges[0]?.at ?? Infinity,
    )
    if (at < (first?.at ?? Infinity)) first = { container, at }
  }
  return first
}

function behaviour(world: World, container: MemoryContainer) {
  return behaviourOf(world.images.get(container.imageId), container.running)
}
