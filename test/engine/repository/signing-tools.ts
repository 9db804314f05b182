// ssh-keygen and GnuPG, the other side of every test of signatures: the machine's own, or unpacked from Debian packages.

import { execFileSync } from 'node:child_process'
import { chmodSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'

import { fetchPackages } from '../../../src/demo/debian-packages.ts'
import { programIn } from '../../../src/demo/engine-software.ts'
import { defaultCacheFolder } from '../../../src/demo/host-system.ts'
import { runCommand } from '../../../src/demo/run-command.ts'

export interface SigningTools {
  /** A folder of its own, removed at the end. */
  readonly folder: string
  readonly sshKeygen: (...args: string[]) => string
  /** With a ring of its own. `at`: what GnuPG takes for now, as `20240101T000000`. */
  readonly gpg: (at: string | null, ...args: string[]) => string
  /** Programs for Git's settings `gpg.ssh.program` and `gpg.program`. */
  readonly sshProgram: string
  gpgProgram(at: string | null): string
  end(): void
}

export async function signingTools(): Promise<SigningTools> {
  const folder = mkdtempSync(join(tmpdir(), 'graft-sign-'))
  const home = join(folder, 'gnupg')
  mkdirSync(home, { mode: 0o700 })
  const { environment, keygen, gnupg, agent } = await programs()
  const env = { ...process.env, ...environment }
  writeFileSync(join(home, 'gpg.conf'), `batch\nno-tty\npinentry-mode loopback\nagent-program ${agent}\n`)
  const script = (name: string, line: string): string => {
    const path = join(folder, name)
    const exports = Object.entries(environment).map(([key, value]) => `${key}='${value}' `)
    writeFileSync(path, `#!/bin/sh\n${exports.join('')}exec ${line} "$@"\n`)
    chmodSync(path, 0o755)
    return path
  }
  const faked = (at: string | null) => (at === null ? [] : ['--faked-system-time', `${at}!`])
  const run = (program: string, args: readonly string[]): string =>
    execFileSync(program, args, { encoding: 'utf8', env, stdio: ['ignore', 'pipe', 'pipe'] })
  return {
    folder,
    sshKeygen: (...args) => run(keygen, args),
    gpg: (at, ...args) => run(gnupg, ['--homedir', home, ...faked(at), '--passphrase', '', ...args]),
    sshProgram: script('ssh-keygen', keygen),
    gpgProgram: (at) => script(`gpg-${at ?? 'now'}`, [gnupg, '--homedir', home, ...faked(at)].join(' ')),
    end() {
      for (const pid of agentsOf(home)) process.kill(pid)
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

/** GnuPG starts its agent by itself. */
function agentsOf(home: string): number[] {
  return readdirSync('/proc').flatMap((name) => {
    if (!/^\d+$/.test(name)) return []
    try {
      const command = readFileSync(`/proc/${name}/cmdline`, 'latin1')
      return command.includes('gpg-agent') && command.includes(home) ? [Number(name)] : []
    } catch {
      return []
    }
  })
}

interface Programs {
  readonly keygen: string
  readonly gnupg: string
  readonly agent: string
  readonly environment: Readonly<Record<string, string>>
}

async function programs(): Promise<Programs> {
  const [keygen, gnupg, agent] = await Promise.all(['ssh-keygen', 'gpg', 'gpg-agent'].map(inPath))
  if (keygen !== null && gnupg !== null && agent !== null && keygen && gnupg && agent)
    return { keygen, gnupg, agent, environment: {} }
  const wanted = ['openssh-client', 'gpg', 'gpg-agent']
  const listing = await runCommand('apt-cache', ['depends', '--no-recommends', '--no-suggests', ...wanted])
  const libraries = [...listing.stdout.matchAll(/Depends: (lib[\w.+-]+)$/gm)].map(([, name = '']) => name)
  const names = [...new Set([...wanted, ...libraries])].filter((name) => name !== 'libc6')
  const packages = names.toSorted().map((name) => ({ name }))
  const { root } = await fetchPackages({ suite: 'host', packages }, defaultCacheFolder(process.env))
  const places = ['usr/lib', 'lib'].flatMap((base) => {
    const inside = readdirSync(join(root, base), { withFileTypes: true }).filter(({ name }) => name.includes('-linux-'))
    return inside.map(({ name }) => join(root, base, name))
  })
  return {
    keygen: await programIn(root, 'ssh-keygen'),
    gnupg: await programIn(root, 'gpg'),
    agent: await programIn(root, 'gpg-agent'),
    environment: { LD_LIBRARY_PATH: places.join(delimiter) },
  }
}

async function inPath(program: string): Promise<string | null> {
  // GRAFT_TEST_FETCH_TOOLS=1 tries the way of a machine that lacks them.
  if (process.env['GRAFT_TEST_FETCH_TOOLS'] === '1') return null
  const found = await runCommand('sh', ['-c', `command -v ${program}`])
  return found.code === 0 ? found.stdout.trim() : null
}
