// Secrets on their way into a container: as variables, as archives for its own layer or for the folder that is mounted
// for them; and what of it an inspected container shows again.

import { posix } from 'node:path'
import { buffer } from 'node:stream/consumers'

import { pack } from 'tar-stream'

import { needsFolder, SECRETS_FOLDER } from '../desired/secret-source.ts'
import { secretText, type SecretValue } from '../desired/secret-value.ts'
import type { Mount } from '../desired/spec.ts'
import type { Leaf } from '../desired/tree.ts'
import { readSecrets } from './labels.ts'
import type { WireContainer } from './wire.ts'

/** The same files always give the same archive. */
const FIXED_TIME = new Date(0)

/** Variables whose values are secrets. Throws where nobody opened them. */
export function secretVariables(leaf: Leaf): Record<string, string> {
  const entries = Object.entries(leaf.spec.secrets?.environment ?? {})
  return Object.fromEntries(entries.map(([name, content]) => [name, secretText(valueOf(leaf, content)) ?? '']))
}

/** One archive for the container's own layer and one for the mounted folder, each where there is something for it. */
export async function secretArchives(leaf: Leaf): Promise<{ readonly folder: string; readonly file: Buffer }[]> {
  const all = Object.entries(leaf.spec.secrets?.files ?? {})
  const mounted = all.filter(([target]) => needsFolder(leaf.spec, target))
  const inside = all.filter(([target]) => !needsFolder(leaf.spec, target))
  // With a folder mounted there, everything below it goes into it.
  const isThere = mounted.length > 0
  const own = isThere ? inside.filter(([target]) => posix.dirname(target) !== SECRETS_FOLDER) : inside
  const below = isThere ? [...mounted, ...inside.filter((one) => !own.includes(one))] : []
  const archives: { folder: string; file: Buffer }[] = []
  for (const [folder, files] of [
    ['/', own],
    [SECRETS_FOLDER, below],
  ] as const) {
    if (files.length === 0) continue
    const archive = pack()
    for (const [target, { content, mode, uid, gid }] of files) {
      const name = posix.relative(folder, target)
      const bytes = Buffer.from(valueOf(leaf, content).reveal())
      archive.entry({ name, mode, uid, gid, mtime: FIXED_TIME, type: 'file' }, bytes)
    }
    archive.finalize()
    archives.push({ folder, file: await buffer(archive) })
  }
  return archives
}

function valueOf(leaf: Leaf, content: string): SecretValue {
  const value = leaf.secrets?.values.get(content)
  if (value === undefined) throw new TypeError(`${leaf.name} has no value for one of its secrets`)
  return value
}

/** Paths of a container's secrets, as its labels tell them. */
export function secretPaths({ Config: { Labels } }: Pick<WireContainer, 'Config'>): string[] {
  return Object.keys(readSecrets(Labels) ?? {}).flatMap((field) =>
    field.startsWith('secrets.') ? [field.slice('secrets.'.length)] : [],
  )
}

/** Whether a mount is the folder that graft had mounted for secrets: no leaf asks for a volume without a name. */
export function isSecretsFolder(mount: Mount, labels: Readonly<Record<string, string>> | null | undefined): boolean {
  return (
    mount.type === 'volume' && mount.source === '' && mount.target === SECRETS_FOLDER && readSecrets(labels) !== null
  )
}

/** Whether the container has such a folder, and no other volume without a name. */
export function ownsSecretsFolder({ Config: { Labels }, HostConfig: { Mounts } }: WireContainer): boolean {
  const nameless = (Mounts ?? []).filter(({ Type, Source }) => Type === 'volume' && (Source ?? '') === '')
  return (
    nameless.length > 0 && nameless.every(({ Target }) => Target === SECRETS_FOLDER) && readSecrets(Labels) !== null
  )
}
