// Starts a program of graft's own apart from the demo, so that Ctrl-C does not reach it by itself and it may outlive
// the demo; and reads what it writes into its log file.

import { spawn } from 'node:child_process'
import { open } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'

import type { ProcessName } from './engine-state.ts'
import { GroundFault } from './ground-fault.ts'
import { isAlive, processFacts, signalProcess, waitForEnd } from './process-tree.ts'

export interface ApartProcess extends ProcessName {
  /** Text that was written since the last call. */
  read(): Promise<string>
  alive(): Promise<boolean>
  close(): Promise<void>
}

/** graft's executable, as this process runs it. */
export const graftProgram = fileURLToPath(new URL('../main.js', import.meta.url))
export const serveGitProgram = fileURLToPath(new URL('./serve-git.js', import.meta.url))

/** stdout goes to `log`, and stderr with it. */
export async function startApart(
  program: string,
  args: readonly string[],
  log: string,
  env: NodeJS.ProcessEnv,
): Promise<ApartProcess> {
  const file = await open(log, 'w+', 0o600)
  const child = spawn(process.execPath, [program, ...args], {
    detached: true,
    stdio: ['ignore', file.fd, file.fd],
    env,
    cwd: '/',
  })
  child.once('error', () => undefined)
  child.unref()
  const facts = child.pid === undefined ? null : await processFacts(child.pid)
  if (facts === null) {
    await file.close()
    throw new GroundFault(`${program} could not be started.`, 'Run `npm run build`, then try again.')
  }
  const name: ProcessName = { pid: facts.pid, startTime: facts.startTime }
  let position = 0
  const decoder = new TextDecoder()
  return {
    ...name,
    async read() {
      let text = ''
      for (;;) {
        const { bytesRead, buffer } = await file.read(Buffer.alloc(65_536), 0, 65_536, position)
        if (bytesRead === 0) return text
        position += bytesRead
        text += decoder.decode(buffer.subarray(0, bytesRead), { stream: true })
      }
    },
    alive: () => isAlive(name.pid, name.startTime),
    close: () => file.close(),
  }
}

/** SIGTERM, and SIGKILL where that does not help within `patience` milliseconds. Never another process of that id. */
export async function endProcess({ pid, startTime }: ProcessName, patience: number): Promise<void> {
  if (!(await isAlive(pid, startTime))) return
  signalProcess(pid, 'SIGTERM')
  if (await waitForEnd(pid, startTime, patience)) return
  if (await isAlive(pid, startTime)) signalProcess(pid, 'SIGKILL')
  await waitForEnd(pid, startTime, 5_000)
}
