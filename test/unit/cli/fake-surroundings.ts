// A process around a command, for tests: its streams are kept, its folders are temporary.

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Writable } from 'node:stream'

import { afterAll } from 'vitest'

import { runCommandLine } from '../../../src/cli/program.ts'
import type { Surroundings } from '../../../src/cli/surroundings.ts'

const folders: string[] = []
afterAll(() => folders.forEach((folder) => rmSync(folder, { recursive: true, force: true })))

export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'graft-cli-'))
  folders.push(folder)
  return folder
}

export function fakeSurroundings(change: Partial<Surroundings> = {}): Surroundings & { out(): string; err(): string } {
  const folder = temporaryFolder()
  const [stdout, stderr] = [keeper(), keeper()]
  return {
    env: {},
    cwd: folder,
    home: folder,
    root: false,
    stdout: stdout.terminal,
    stderr: stderr.terminal,
    stdin: null,
    onStop: () => () => undefined,
    onHangUp: () => () => undefined,
    exit: () => undefined,
    ...change,
    out: stdout.text,
    err: stderr.text,
  }
}

function keeper() {
  let kept = ''
  const stream = new Writable({
    write(chunk: Buffer, _encoding, done) {
      kept += chunk.toString('utf8')
      done()
    },
  })
  return { terminal: { stream, isTerminal: false, size: () => ({ columns: 80, rows: 24 }) }, text: () => kept }
}

/** Runs `graft ARGV` and gives what it wrote. */
export async function graft(argv: readonly string[], change: Partial<Surroundings> = {}) {
  const surroundings = fakeSurroundings(change)
  const exitCode = await runCommandLine(argv, surroundings, '1.2.3')
  return { exitCode, out: surroundings.out(), err: surroundings.err(), cwd: surroundings.cwd }
}
