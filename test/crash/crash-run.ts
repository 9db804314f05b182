// One run of a swap in which graft is killed with -9 at one engine call, and everything that is seen on the engine
// until a second graft has brought it to an end.

import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

import type { EngineCall, EngineProxy } from '../engine/stage/engine-proxy.ts'
import type { Stage } from '../engine/stage/stage.ts'

const main = fileURLToPath(new URL('../../dist/main.js', import.meta.url))

export interface KillAt {
  /** 1-based among the calls of the run, or among those that change something. */
  readonly count: 'number' | 'change'
  readonly call: number
  readonly moment: 'before' | 'after'
}

export interface CrashRun {
  /** The calls that graft made until it was killed, or all of them. */
  readonly calls: readonly EngineCall[]
  /** The call at which it died; null where it had ended first. */
  readonly killedAt: EngineCall | null
  readonly exitCode: number | null
  readonly output: string
}

/** Runs `graft apply` through the proxy; with `kill` it dies there. */
export async function applyThrough(stage: Stage, proxy: EngineProxy, kill: KillAt | null): Promise<CrashRun> {
  proxy.calls.length = 0
  const args = ['apply', '--repo', stage.repo, '--state', stage.state, '--engine', proxy.url, '--allow-privileged']
  const child = spawn(process.execPath, [main, ...args], { stdio: ['ignore', 'pipe', 'pipe'] })
  let output = ''
  child.stdout.on('data', (chunk) => (output += String(chunk)))
  child.stderr.on('data', (chunk) => (output += String(chunk)))
  const exit = once(child, 'exit')
  let killedAt: EngineCall | null = null
  const die = async (call: EngineCall) => {
    killedAt = call
    child.kill('SIGKILL')
    await exit
    throw new Error('killed')
  }
  proxy.before = (call) => {
    if (killedAt !== null) throw new Error('dead already')
    return kill?.moment === 'before' && call[kill.count] === kill.call ? die(call) : undefined
  }
  proxy.after = (call) => (kill?.moment === 'after' && call[kill.count] === kill.call ? die(call) : undefined)
  const [exitCode] = (await exit) as [number | null]
  proxy.before = () => undefined
  proxy.after = () => undefined
  return { calls: [...proxy.calls], killedAt, exitCode, output }
}

export interface Watch {
  /** Most and fewest containers of the leaf that were seen running at one time. */
  readonly most: number
  readonly fewest: number
  readonly looks: number
}

/** Looks at the leaf's running containers as often as the engine answers, until it is stopped. */
export function watchLeaf(stage: Stage, leaf: string): { stop(): Promise<Watch> } {
  let ended = false
  const seen = { most: 0, fewest: Number.POSITIVE_INFINITY, looks: 0 }
  const filters = { label: [`dev.graft.deployment=${stage.name}`, `dev.graft.leaf=${leaf}`], status: ['running'] }
  const looking = (async () => {
    while (!ended) {
      try {
        const { length } = await stage.docker.listContainers({ filters })
        seen.most = Math.max(seen.most, length)
        seen.fewest = Math.min(seen.fewest, length)
        seen.looks++
      } catch {
        // The engine is being restarted.
      }
      await new Promise((resolve) => setTimeout(resolve, 10))
    }
  })()
  return {
    async stop() {
      ended = true
      await looking
      return { ...seen }
    },
  }
}

export function proxySocket(stage: Stage): string {
  return join(stage.folder, 'proxy.sock')
}
