// Who commits, as Git's own configuration says it.

import { readFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { readSettings } from './local-folder.ts'
import type { Person } from './repository.ts'

/**
 * `user.name` and `user.email` of a repository's `config` (null: none), of the user's and of the system's; null where
 * one of the two is nowhere. Git documentation, git-config, "FILES", without included files.
 */
export function configuredAuthor(config: string | null): Person | null {
  const own = process.env['XDG_CONFIG_HOME'] || join(homedir(), '.config')
  const global = process.env['GIT_CONFIG_GLOBAL']
  const users = global ? [global] : [join(homedir(), '.gitconfig'), join(own, 'git', 'config')]
  const files = [config, ...users, '/etc/gitconfig']
  const settings = files.map((file) => (file === null ? new Map<string, string>() : readSettings(textOf(file))))
  const first = (key: string): string | undefined => settings.map((map) => map.get(key)).find((value) => value)
  const [name, email] = [first('user.name'), first('user.email')]
  return name === undefined || email === undefined ? null : { name, email }
}

function textOf(file: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch {
    return ''
  }
}
