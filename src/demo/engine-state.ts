// What an engine's folder remembers between processes, so that the next bring-up uses a healthy engine again or
// clears up after a dead one; and the lock that lets one process at a time do so.

import { createHash } from 'node:crypto'
import { readFile, rename, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import type { Server } from 'node:net'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { EngineNetwork } from './engine-network.ts'
import type { EngineSoftware, EngineSuite } from './engine-software.ts'
import { GroundFault } from './ground-fault.ts'

export interface ProcessName {
  readonly pid: number
  /** Clock ticks since the machine started; guards against a later process under the same id. */
  readonly startTime: string
}

export interface EngineState {
  readonly suite: EngineSuite
  readonly software: EngineSoftware
  readonly network: EngineNetwork
  /** Keeps the mount namespace of everything the engine starts. */
  readonly holder: ProcessName
  /** null while it is stopped or was killed. */
  readonly dockerd: ProcessName | null
}

/** null where there is none that reads. */
export async function readEngineState(folder: string): Promise<EngineState | null> {
  const text = await readFile(join(folder, 'engine.json'), 'utf8').catch(() => null)
  if (text === null) return null
  try {
    return JSON.parse(text) as EngineState
  } catch {
    return null
  }
}

export async function writeEngineState(folder: string, state: EngineState): Promise<void> {
  const beside = join(folder, `engine.json.${process.pid}`)
  await writeFile(beside, JSON.stringify(state, null, 2))
  await rename(beside, join(folder, 'engine.json'))
}

/** Runs `work` while no other process works on this engine. Waits up to two minutes. Throws GroundFault. */
export async function withEngineLock<T>(folder: string, work: () => Promise<T>): Promise<T> {
  // An abstract socket (unix(7)) is a lock that the kernel releases when its owner dies.
  const name = `\0graft-engine-${createHash('sha256').update(folder).digest('hex').slice(0, 32)}`
  const deadline = performance.now() + 120_000
  let server = await listen(name)
  while (server === null) {
    if (performance.now() > deadline)
      throw new GroundFault(
        `Another process has been working on the engine in ${folder} for two minutes.`,
        'Wait for it or end it, then try again.',
      )
    await sleep(100)
    server = await listen(name)
  }
  const held = server
  try {
    return await work()
  } finally {
    await new Promise((resolve) => held.close(resolve))
  }
}

/** null where somebody else listens. */
function listen(name: string): Promise<Server | null> {
  return new Promise((resolve, reject) => {
    const server = createServer((socket) => socket.destroy())
    server.once('error', (error: NodeJS.ErrnoException) =>
      error.code === 'EADDRINUSE' ? resolve(null) : reject(error),
    )
    server.listen(name, () => resolve(server))
  })
}
