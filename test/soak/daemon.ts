// The real `graft run` as the soak starts, kills and freezes it.

import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { createWriteStream } from 'node:fs'
import { resolve } from 'node:path'

/** `npm run` starts everything in the project's folder. */
const MAIN = resolve('dist/main.js')
const KEPT = 20_000

export interface Daemon {
  start(): void
  end(signal: 'SIGTERM' | 'SIGKILL'): Promise<void>
  signal(signal: 'SIGSTOP' | 'SIGCONT'): void
  pid(): number | null
  /** When it was started last, by `performance.now()`. */
  startedAt(): number
  /** Bytes that it has logged, over all its lives. */
  logged(): number
  /** The last part of what it has logged. */
  log(): string
  /** Exits that nobody asked for. */
  unasked(): number
}

/** `file`: where all of its log goes, too. */
export function newDaemon(args: readonly string[], file: string | null): Daemon {
  const whole = file === null ? null : createWriteStream(file, { flags: 'a' })
  let child: ChildProcess | null = null
  let log = ''
  let logged = 0
  let startedAt = 0
  let unasked = 0
  let asked = false
  const hear = (chunk: Buffer) => {
    logged += chunk.length
    whole?.write(chunk)
    log = (log + String(chunk)).slice(-KEPT)
  }
  const lives = () => child !== null && child.exitCode === null && child.signalCode === null
  return {
    start() {
      asked = false
      startedAt = performance.now()
      child = spawn(process.execPath, [MAIN, 'run', ...args], {
        stdio: ['ignore', 'pipe', 'pipe'],
        env: { ...process.env, NO_COLOR: '1' },
      })
      child.stdout?.on('data', hear)
      child.stderr?.on('data', hear)
      child.on('exit', () => {
        if (!asked) unasked++
      })
    },
    async end(signal) {
      if (child === null || !lives()) return
      asked = true
      const exit = once(child, 'exit')
      child.kill(signal)
      await exit
    },
    signal: (signal) => void child?.kill(signal),
    pid: () => (lives() ? (child?.pid ?? null) : null),
    startedAt: () => startedAt,
    logged: () => logged,
    log: () => log,
    unasked: () => unasked,
  }
}
