// A program as the other end of a Git conversation: what it says is read piece by piece, what it is told is written as it
// takes it, and however it ends is told. It never hears of the terminal, so that it cannot ask a person anything.

import { spawn } from 'node:child_process'
import { codeOf } from './git-object.ts'

export interface PipeProgram {
  readonly file: string
  readonly args: readonly string[]
  readonly env: Readonly<Record<string, string>>
}

export interface PipeEnd {
  /** Null where it did not start or was ended by a signal. */
  readonly code: number | null
  /** The last of what it wrote to its error stream; where it did not start, the system's words. */
  readonly words: string
  /** There is no such program. */
  readonly missing: boolean
  /** It was ended because it had been silent for too long. */
  readonly silent: boolean
}

export interface Pipe {
  /** The next bytes; null at the end. */
  read(): Promise<Buffer | null>
  /** Puts bytes back, which are then read first. */
  unread(bytes: Buffer): void
  /** Resolves when all is taken or the program is gone; nothing can be written after it. */
  writeAll(bytes: Uint8Array): Promise<void>
  readonly ended: Promise<PipeEnd>
  /** Says goodbye as Git does (a flush packet) where nothing was written yet, and ends the program if it stays. */
  leave(): void
  kill(): void
}

const WORDS = 4000
const WRITE_BYTES = 65_536
const GRACE_MS = 1000

/** `idleMs`: milliseconds without a byte in either direction after which it is ended. */
export function openPipe({ file, args, env }: PipeProgram, idleMs: number): Pipe {
  // In a session of its own, it has no terminal to ask for a passphrase on.
  const child = spawn(file, [...args], { stdio: ['pipe', 'pipe', 'pipe'], env: { ...env }, detached: true })
  const { stdin, stdout, stderr } = child
  let words = ''
  let gone = false
  let silent = false
  let wrote = false
  const kept: Buffer[] = []
  const timer = setTimeout(() => {
    silent = true
    kill()
  }, idleMs)

  const ended = new Promise<PipeEnd>((resolve) => {
    const end = (code: number | null, told: string, missing: boolean): void => {
      gone = true
      clearTimeout(timer)
      resolve({ code, words: told, missing, silent })
    }
    child.once('error', (error) => end(null, error.message, codeOf(error) === 'ENOENT'))
    child.once('exit', (code) => {
      // Its last words may still be on their way; something it started may hold the streams open for ever.
      const late = setTimeout(() => {
        end(code, words, false)
        for (const stream of [stdin, stdout, stderr]) stream.destroy()
      }, GRACE_MS)
      child.once('close', () => {
        clearTimeout(late)
        end(code, words, false)
      })
    })
  })
  stderr.setEncoding('utf8').on('data', (text: string) => (words = (words + text).slice(-WORDS)))
  // A program that leaves breaks the pipe; its end tells why.
  for (const stream of [stdin, stdout, stderr]) stream.on('error', () => undefined)
  const chunks: AsyncIterator<Buffer> = stdout[Symbol.asyncIterator]()

  function signal(name: NodeJS.Signals): void {
    if (child.pid === undefined || gone) return
    try {
      process.kill(-child.pid, name)
    } catch {
      // It is gone already.
    }
  }
  function kill(): void {
    signal('SIGTERM')
    setTimeout(() => signal('SIGKILL'), GRACE_MS).unref()
  }

  return {
    async read() {
      const before = kept.shift()
      if (before !== undefined) return before
      try {
        const { done, value } = await chunks.next()
        timer.refresh()
        return done === true ? null : value
      } catch {
        return null
      }
    },
    unread: (bytes) => void kept.unshift(bytes),
    async writeAll(bytes) {
      wrote = true
      for (let at = 0; at < bytes.length && !gone; at += WRITE_BYTES) {
        if (!stdin.write(bytes.subarray(at, at + WRITE_BYTES))) {
          await Promise.race([new Promise((resolve) => stdin.once('drain', resolve)), ended])
        }
        if (!gone) timer.refresh()
      }
      stdin.end()
    },
    ended,
    leave() {
      if (gone) return
      stdin.end(wrote ? '' : '0000')
      setTimeout(kill, GRACE_MS).unref()
    },
    kill,
  }
}
