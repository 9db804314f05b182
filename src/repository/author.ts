// Who commits, as Git's own configuration says it.

import { configFiles, entriesOf } from './git-config.ts'
import type { Person } from './repository.ts'

/**
 * `user.name` and `user.email` of a repository's `config` (null: none), of the user's and of the system's; null where
 * one of the two is nowhere.
 */
export function configuredAuthor(config: string | null): Person | null {
  const files = configFiles(config).map(entriesOf)
  const first = (key: string): string | undefined =>
    files
      .map((entries) =>
        entries.findLast((one) => one.section === 'user' && one.subsection === null && one.name === key),
      )
      .find((entry) => entry !== undefined && entry.value !== '')?.value
  const [name, email] = [first('name'), first('email')]
  return name === undefined || email === undefined ? null : { name, email }
}
