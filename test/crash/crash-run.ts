// One run of graft through the proxy, in which it is killed with -9 at one engine call or meets a fault there, and what
// is seen of a leaf on the engine meanwhile.

import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

import type { EngineCall, EngineFaultKind, EngineProxy } from '../engine/stage/engine-proxy.ts'
import type { Stage } from '../engine/stage/stage.ts'

const main = fileURLToPath(new URL('../../dist/main.js', import.meta.url))

export interface KillAt {
  /** 1-based among the calls of the run, among those that change something, or among those of one kind. */
  readonly count: 'number' | 'change' | 'kind'
  readonly kind?: string
  readonly call: number
  readonly moment: 'before' | 'after'
}

export interface FaultAt {
  /** Of `kindOf` the call. */
  readonly kind: string
  /** 1-based among the calls of this kind; from there on for so many more. */
  readonly nth: number
  readonly times: number
  readonly fault: EngineFaultKind
}

export interface CrashRun {
  /** The calls that graft made until it was killed, or all of them. */
  readonly calls: readonly EngineCall[]
  /** The call at which it died; null where it had ended first. */
  readonly killedAt: EngineCall | null
  readonly exitCode: number | null
  readonly output: string
  /** Milliseconds. */
  readonly took: number
  /** Whether it had to be ended because it did not end by itself. */
  readonly hung: boolean
  /** How many calls met the fault. */
  readonly met: number
}

/** Milliseconds after which a run counts as one that never ends. */
const LONGEST_RUN = 120_000

/** Which call it is, whatever it is about: `POST /containers/ID/rename`. */
export function kindOf(call: EngineCall): string {
  const path = call.path
    .replaceAll(/[0-9a-f]{64}|sha256:[0-9a-f]+/g, 'ID')
    .replace(/^\/containers\/(?!json|create)[^/]+/, '/containers/ID')
    .replace(/^\/images\/(?!json|create).+?(\/json|\/tag)?$/, '/images/NAME$1')
    .replace(/^\/networks\/(?!create)[^/]+/, '/networks/NAME')
    .replace(/^\/volumes\/(?!create)[^/]+/, '/volumes/NAME')
  return `${call.method} ${path}`
}

/** Runs `graft apply` through the proxy; with `kill` it dies there. */
export async function applyThrough(
  stage: Stage,
  proxy: EngineProxy,
  kill: KillAt | null,
  fault: FaultAt | null = null,
  flags: readonly string[] = [],
): Promise<CrashRun> {
  proxy.calls.length = 0
  const args = [
    'apply',
    '--repo',
    stage.repo,
    '--state',
    stage.state,
    '--engine',
    proxy.url,
    '--allow-privileged',
    ...flags,
  ]
  const child = spawn(process.execPath, [main, ...args], { stdio: ['ignore', 'pipe', 'pipe'] })
  let output = ''
  child.stdout.on('data', (chunk) => (output += String(chunk)))
  child.stderr.on('data', (chunk) => (output += String(chunk)))
  const exit = once(child, 'exit')
  const begun = performance.now()
  let hung = false
  const limit = setTimeout(() => {
    hung = true
    child.kill('SIGKILL')
  }, LONGEST_RUN)
  const seen = new Map<string, number>()
  let met = 0
  proxy.fault = (call) => {
    if (fault === null || kindOf(call) !== fault.kind) return null
    const nth = (seen.get(fault.kind) ?? 0) + 1
    seen.set(fault.kind, nth)
    if (nth < fault.nth || nth >= fault.nth + fault.times) return null
    met++
    return fault.fault
  }
  let killedAt: EngineCall | null = null
  const die = async (call: EngineCall) => {
    killedAt = call
    child.kill('SIGKILL')
    await exit
    throw new Error('killed')
  }
  const isIt = (call: EngineCall, moment: KillAt['moment']) => {
    if (kill?.moment !== moment) return false
    if (kill.count !== 'kind') return call[kill.count] === kill.call
    const before = proxy.calls.filter((other) => other.number <= call.number && kindOf(other) === kill.kind).length
    return kindOf(call) === kill.kind && before === kill.call
  }
  proxy.before = (call) => {
    if (killedAt !== null) throw new Error('dead already')
    return isIt(call, 'before') ? die(call) : undefined
  }
  proxy.after = (call) => (isIt(call, 'after') ? die(call) : undefined)
  const [exitCode] = (await exit) as [number | null]
  proxy.before = () => undefined
  proxy.after = () => undefined
  proxy.fault = () => null
  clearTimeout(limit)
  return { calls: [...proxy.calls], killedAt, exitCode, output, took: performance.now() - begun, hung, met }
}

export function proxySocket(stage: Stage): string {
  return join(stage.folder, 'proxy.sock')
}
