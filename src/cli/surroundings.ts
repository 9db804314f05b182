// What a command knows of the process around it, as an argument, so that a test can give it another one.

import { homedir } from 'node:os'
import type { Writable } from 'node:stream'

export interface Surroundings {
  readonly env: Readonly<Record<string, string | undefined>>
  /** The person's current folder. */
  readonly cwd: string
  readonly home: string
  readonly root: boolean
  readonly stdout: Terminal
  readonly stderr: Terminal
  readonly stdin: NodeJS.ReadStream | null
  /** Calls back at SIGINT and SIGTERM instead of ending; the returned function puts things back. */
  onStop(callback: (signal: NodeJS.Signals) => void): () => void
  /** Calls back at SIGHUP. */
  onHangUp(callback: () => void): () => void
  /** Ends the process at once. */
  exit(code: number): void
}

/** A stream that may be a terminal. */
export interface Terminal {
  readonly stream: Writable
  readonly isTerminal: boolean
  /** As they are now; 80 and 24 where there is no terminal. */
  size(): { readonly columns: number; readonly rows: number }
}

export function processSurroundings(): Surroundings {
  return {
    env: process.env,
    cwd: process.cwd(),
    home: homedir(),
    root: process.getuid?.() === 0,
    stdout: terminal(process.stdout),
    stderr: terminal(process.stderr),
    stdin: process.stdin.isTTY ? process.stdin : null,
    onStop(callback) {
      process.on('SIGINT', callback)
      process.on('SIGTERM', callback)
      return () => {
        process.off('SIGINT', callback)
        process.off('SIGTERM', callback)
      }
    },
    onHangUp(callback) {
      process.on('SIGHUP', callback)
      return () => void process.off('SIGHUP', callback)
    },
    exit: (code) => process.exit(code),
  }
}

function terminal(stream: NodeJS.WriteStream): Terminal {
  return {
    stream,
    isTerminal: stream.isTTY === true,
    size: () => ({ columns: stream.columns ?? 80, rows: stream.rows ?? 24 }),
  }
}
