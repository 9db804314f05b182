// What kind of machine this is, as far as the ground needs to know: which distribution, which suite, root or not.

import { readFile } from 'node:fs/promises'
import { homedir } from 'node:os'
import { join } from 'node:path'

export interface HostSystem {
  /** `ID` of os-release: `debian`, `ubuntu`, …; empty where unknown. */
  readonly distribution: string
  /** `VERSION_CODENAME` of os-release: `bookworm`, `noble`, …; empty where unknown. */
  readonly suite: string
  /** Its name for a person: `Debian GNU/Linux 12 (bookworm)`. */
  readonly prettyName: string
  readonly isRoot: boolean
}

/** Reads /etc/os-release (os-release(5)). */
export async function hostSystem(): Promise<HostSystem> {
  const text = await readFile('/etc/os-release', 'utf8').catch(() => '')
  const values = new Map<string, string>()
  for (const line of text.split('\n')) {
    const match = /^([A-Z_]+)=(.*)$/.exec(line)
    if (match?.[1] !== undefined) values.set(match[1], (match[2] ?? '').replace(/^(["'])(.*)\1$/, '$2'))
  }
  return {
    distribution: values.get('ID') ?? '',
    suite: values.get('VERSION_CODENAME') ?? '',
    prettyName: values.get('PRETTY_NAME') ?? process.platform,
    isRoot: process.getuid?.() === 0,
  }
}

/** Where fetched software is kept between runs: `$XDG_CACHE_HOME` or `~/.cache`, then `graft/debian`. */
export function defaultCacheFolder(env: NodeJS.ProcessEnv): string {
  const cache = env['XDG_CACHE_HOME']
  return join(cache !== undefined && cache.startsWith('/') ? cache : join(homedir(), '.cache'), 'graft', 'debian')
}
