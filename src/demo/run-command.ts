// Runs one program to its end and hands back what it said. No shell, no output of its own.

import { spawn } from 'node:child_process'

export interface CommandOutcome {
  /** null where the program could not be started or was ended by a signal. */
  readonly code: number | null
  readonly stdout: string
  /** Where the program could not be started: the reason. */
  readonly stderr: string
  /** True where there is no such program. */
  readonly missing: boolean
}

export interface CommandOptions {
  readonly cwd?: string
  readonly env?: NodeJS.ProcessEnv
  /** Milliseconds after which the program is killed; default ten minutes. */
  readonly timeout?: number
}

/** Never rejects: a program that fails or is not there is an outcome. Its messages are English. */
export function runCommand(
  file: string,
  args: readonly string[],
  options: CommandOptions = {},
): Promise<CommandOutcome> {
  return new Promise((resolve) => {
    const child = spawn(file, [...args], {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...(options.env ?? process.env), LC_ALL: 'C' },
      timeout: options.timeout ?? 600_000,
      killSignal: 'SIGKILL',
      ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
    })
    const stdout: Buffer[] = []
    const stderr: Buffer[] = []
    child.stdout.on('data', (chunk: Buffer) => stdout.push(chunk))
    child.stderr.on('data', (chunk: Buffer) => stderr.push(chunk))
    child.once('error', (error: NodeJS.ErrnoException) =>
      resolve({ code: null, stdout: '', stderr: error.message, missing: error.code === 'ENOENT' }),
    )
    child.once('close', (code) =>
      resolve({
        code,
        stdout: Buffer.concat(stdout).toString(),
        stderr: Buffer.concat(stderr).toString(),
        missing: false,
      }),
    )
  })
}
