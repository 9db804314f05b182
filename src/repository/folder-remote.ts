// Where the branches of a person's repository are pushed to, as Git's configuration says it.

import { resolve } from 'node:path'
import { readAddress } from './address.ts'
import { type ConfigEntry, configFiles, entriesOf } from './git-config.ts'
import type { Credentials } from './protocol.ts'
import { RepositoryFault } from './repository.ts'

export interface FolderRemote {
  /** `origin` */
  readonly name: string
  /** As `openRemote` takes it. */
  readonly url: string
  /** What the address itself held of credentials. */
  readonly auth: Credentials
  /** The name that the remote's branch has here, `refs/remotes/origin/main`; null where its branches are not kept so. */
  tracking(ref: string): string | null
}

/**
 * The remote of `remote.pushDefault`, else `origin`, else the only one. `base` is the folder that a relative path starts
 * at. Git documentation, git-config, "remote.NAME.pushurl" and "url.BASE.insteadOf". Throws RepositoryFault: `refused`
 * where there is none or more than one address, and what `readAddress` throws.
 */
export function folderRemote(config: string, base: string): FolderRemote {
  // The nearest file counts most, and in it the last value.
  const entries = configFiles(config).toReversed().flatMap(entriesOf)
  const remotes = [...new Set(entries.flatMap((one) => (one.section === 'remote' ? (one.subsection ?? []) : [])))]
  const chosen = entries.findLast(
    ({ section, subsection, name }) => section === 'remote' && subsection === null && name === 'pushdefault',
  )
  const name =
    chosen?.value ?? (remotes.includes('origin') || remotes.length !== 1 ? 'origin' : (remotes[0] ?? 'origin'))
  const valuesOf = (key: string): readonly string[] =>
    entries
      .filter((one) => one.section === 'remote' && one.subsection === name && one.name === key)
      .map(({ value }) => value)
  const [pushUrls, urls] = [valuesOf('pushurl'), valuesOf('url')]
  const places = pushUrls.length > 0 ? pushUrls : urls
  const [place] = places
  if (place === undefined) {
    throw refused(`this folder has no remote ${name} to push to`, `Add it: git remote add ${name} URL`)
  }
  if (places.length > 1) throw refused(`the remote ${name} has more than one address`, `Push with git push ${name}`)
  const written = pushUrls.length > 0 ? null : rewritten(entries, 'pushinsteadof', place)
  const address = readAddress(written ?? rewritten(entries, 'insteadof', place) ?? place)
  const tracked = valuesOf('fetch').includes(`+refs/heads/*:refs/remotes/${name}/*`)
  return {
    name,
    url: address.kind === 'remote' ? address.url : resolve(base, address.folder),
    auth: address.kind === 'remote' ? address.auth : {},
    tracking: (ref) => (tracked ? ref.replace(/^refs\/heads\//, `refs/remotes/${name}/`) : null),
  }
}

/** The longest beginning that is to be replaced counts. Null where there is none. */
function rewritten(entries: readonly ConfigEntry[], key: 'insteadof' | 'pushinsteadof', url: string): string | null {
  const rules = entries.filter(
    ({ section, subsection, name, value }) =>
      section === 'url' && subsection !== null && name === key && value !== '' && url.startsWith(value),
  )
  const [rule] = rules.toSorted((a, b) => b.value.length - a.value.length)
  return rule === undefined ? null : `${rule.subsection ?? ''}${url.slice(rule.value.length)}`
}

function refused(message: string, remedy: string): RepositoryFault {
  return new RepositoryFault('refused', message, remedy)
}
