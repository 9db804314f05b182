// Runs the real program as a person would.

import { execFile, type ExecFileException } from 'node:child_process'
import { fileURLToPath } from 'node:url'

const main = fileURLToPath(new URL('../../../dist/main.js', import.meta.url))

export interface Ran {
  readonly exitCode: number
  /** Both streams. */
  readonly output: string
}

export function graft(cwd: string, args: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<Ran> {
  return new Promise((resolve) => {
    const done = (error: ExecFileException | null, stdout: string, stderr: string) => {
      const exitCode = error === null ? 0 : typeof error.code === 'number' ? error.code : -1
      resolve({ exitCode, output: stdout + stderr })
    }
    execFile(
      process.execPath,
      [main, ...args],
      { cwd, env: { ...process.env, NO_COLOR: '1', ...env }, timeout: 60_000 },
      done,
    )
  })
}
