// The demo's Git: a bare repository that is served over HTTP and a clone of it to work in, with native Git and none of
// the person's own settings.

import { chmod, cp, mkdir, rm, writeFile } from 'node:fs/promises'
import { delimiter, join } from 'node:path'

import { fetchPackages } from './debian-packages.ts'
import type { DemoPlace } from './demo-place.ts'
import { programIn } from './engine-software.ts'
import { GroundFault } from './ground-fault.ts'
import { defaultCacheFolder, hostSystem } from './host-system.ts'
import { runCommand } from './run-command.ts'

export interface DemoGit {
  /** Runs Git in the clone; resolves to what it prints. Throws GroundFault. */
  git(...args: string[]): Promise<string>
  /** Commits all that changed and resolves to the commit's id. */
  commit(message: string): Promise<string>
  push(): Promise<void>
}

/**
 * Where there is no Git and the person is root on Debian or Ubuntu, Debian's package is unpacked beside the demo, and
 * found by everything that this process starts. Throws GroundFault with what to do elsewhere.
 */
export async function ensureGit(
  place: DemoPlace,
  say: (text: string) => void,
): Promise<{ readonly overHttp: boolean }> {
  if (!(await runCommand('git', ['--version'])).missing) return { overHttp: true }
  const { isRoot, distribution } = await hostSystem()
  if (!isRoot || (distribution !== 'debian' && distribution !== 'ubuntu'))
    throw new GroundFault(
      'The program git is missing; the demo makes its repository with it.',
      'Install git (`apt-get install git`), then try again.',
    )
  say("git is missing: Debian's package is unpacked for the demo, nothing is installed")
  const { root } = await fetchPackages({ suite: 'host', packages: [{ name: 'git' }] }, defaultCacheFolder(process.env))
  const bin = join(place.folder, 'bin')
  await mkdir(bin, { recursive: true })
  const real = await programIn(root, 'git')
  const script = `#!/bin/sh\nGIT_EXEC_PATH='${join(root, 'usr/lib/git-core')}' GIT_TEMPLATE_DIR= exec '${real}' "$@"\n`
  await writeFile(join(bin, 'git'), script)
  await chmod(join(bin, 'git'), 0o755)
  process.env['PATH'] = [bin, process.env['PATH'] ?? ''].join(delimiter)
  // Its HTTP client needs libraries that a bare machine lacks; serving does not.
  return { overHttp: !(await runCommand('git', ['remote-http'])).stderr.includes('shared libraries') }
}

/** Copies `example` into a new clone, lets `adapt` change it, and makes the first commit of both repositories. */
export async function makeRepository(
  place: DemoPlace,
  example: string,
  url: string,
  adapt: (folder: string) => Promise<void>,
): Promise<DemoGit> {
  await rm(place.work, { recursive: true, force: true })
  await rm(place.bare, { recursive: true, force: true })
  await mkdir(place.bare, { recursive: true })
  await runGit(['init', '--quiet', '--bare', '--initial-branch=main', place.bare], place.folder)
  await cp(example, place.work, { recursive: true })
  await adapt(place.work)
  const git = (...args: string[]): Promise<string> => runGit(args, place.work)
  await git('init', '--quiet', '--initial-branch=main')
  await git('remote', 'add', 'origin', url)
  return {
    git,
    async commit(message) {
      await git('add', '--all')
      await git('commit', '--quiet', '--message', message)
      return git('rev-parse', 'HEAD')
    },
    async push() {
      await git('push', '--quiet', 'origin', 'main')
    },
  }
}

async function runGit(args: readonly string[], cwd: string): Promise<string> {
  const outcome = await runCommand('git', args, { cwd, env: gitEnvironment(), timeout: 60_000 })
  if (outcome.code === 0) return outcome.stdout.trimEnd()
  throw new GroundFault(
    `git ${args.join(' ')} failed: ${outcome.stderr.trim() || 'it was ended'}`,
    'See whether there is room on the disk, then try again.',
  )
}

function gitEnvironment(): NodeJS.ProcessEnv {
  const kept = Object.entries(process.env).filter(([name]) => !name.startsWith('GIT_'))
  return {
    ...withoutProxyHere(Object.fromEntries(kept)),
    GIT_CONFIG_GLOBAL: '/dev/null',
    GIT_CONFIG_NOSYSTEM: '1',
    GIT_TERMINAL_PROMPT: '0',
    GIT_AUTHOR_NAME: 'graft demo',
    GIT_AUTHOR_EMAIL: 'demo@example.org',
    GIT_COMMITTER_NAME: 'graft demo',
    GIT_COMMITTER_EMAIL: 'demo@example.org',
  }
}

/** A proxy is no way to this very machine. */
export function withoutProxyHere(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const besides = [env['NO_PROXY'] ?? env['no_proxy'] ?? '', '127.0.0.1'].filter((part) => part !== '').join(',')
  return { ...env, NO_PROXY: besides, no_proxy: besides }
}
