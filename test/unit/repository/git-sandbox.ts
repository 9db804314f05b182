// A folder for one test, and native Git in it, free of the settings of whoever runs the tests.

import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'

const ENVIRONMENT = {
  PATH: process.env['PATH'],
  HOME: '/nonexistent',
  GIT_CONFIG_NOSYSTEM: '1',
  GIT_CONFIG_GLOBAL: '/dev/null',
  GIT_AUTHOR_NAME: 'Ada',
  GIT_AUTHOR_EMAIL: 'ada@example.org',
  GIT_COMMITTER_NAME: 'Ada',
  GIT_COMMITTER_EMAIL: 'ada@example.org',
}

export interface Sandbox {
  readonly folder: string
  /** Runs git in a folder of the sandbox; the trimmed output. */
  git(where: string, ...args: string[]): string
  gitWithInput(where: string, input: string | Uint8Array, ...args: string[]): string
  /** Writes files (null removes), commits all, and gives the commit's id. */
  commit(where: string, files: Readonly<Record<string, string | Uint8Array | null>>, message?: string): string
  path(...parts: string[]): string
  remove(): void
}

export function openSandbox(): Sandbox {
  const folder = mkdtempSync(join(tmpdir(), 'graft-repository-'))
  const path = (...parts: string[]): string => join(folder, ...parts)
  let seconds = 1_700_000_000
  const run = (where: string, input: string | Uint8Array | undefined, args: string[]): string =>
    execFileSync('git', args, {
      cwd: path(where),
      input,
      encoding: 'utf8',
      stdio: ['pipe', 'pipe', 'pipe'],
      maxBuffer: 1 << 28,
      env: { ...ENVIRONMENT, GIT_AUTHOR_DATE: `${seconds} +0000`, GIT_COMMITTER_DATE: `${seconds} +0000` },
    }).trim()
  const git = (where: string, ...args: string[]): string => run(where, undefined, args)
  return {
    folder,
    path,
    git,
    gitWithInput: (where, input, ...args) => run(where, input, args),
    commit(where, files, message = 'A change') {
      for (const [name, content] of Object.entries(files)) {
        const full = path(where, name)
        if (content === null) rmSync(full, { recursive: true })
        else {
          mkdirSync(dirname(full), { recursive: true })
          writeFileSync(full, content)
        }
      }
      seconds += 60
      git(where, 'add', '-A')
      git(where, 'commit', '-q', '--allow-empty', '-m', message)
      return git(where, 'rev-parse', 'HEAD')
    },
    remove: () => rmSync(folder, { recursive: true, force: true }),
  }
}

/** A repository with a work tree and the branch main, at a folder of the sandbox. */
export function makeRepository(sandbox: Sandbox, where: string): void {
  mkdirSync(sandbox.path(where), { recursive: true })
  sandbox.git(where, 'init', '-q', '-b', 'main')
}

/** A tree object of exactly these entries, however unsafe, which native Git would refuse to make. */
export function makeTree(
  sandbox: Sandbox,
  where: string,
  entries: readonly { readonly mode: string; readonly name: string | Buffer; readonly oid: string }[],
): string {
  const parts = entries.flatMap(({ mode, name, oid }) => [
    Buffer.from(`${mode} `),
    Buffer.from(name),
    Buffer.from([0]),
    Buffer.from(oid, 'hex'),
  ])
  return sandbox.gitWithInput(where, Buffer.concat(parts), 'hash-object', '-t', 'tree', '-w', '--literally', '--stdin')
}
