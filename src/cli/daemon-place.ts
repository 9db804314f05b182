// Where a daemon's socket is, and how commands find it from nothing but the settings: each daemon leaves a note beside
// its clone, so that it can be asked even while repository or engine cannot.

import { createHash } from 'node:crypto'
import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import type { Deployment } from '../daemon/open-deployment.ts'
import { resolveEngineUrl } from '../engine/engine-address.ts'
import type { Surroundings } from './surroundings.ts'

/** A socket's path ends at 108 bytes on Linux, at 104 elsewhere, the closing zero included. */
const LONGEST = 100

/**
 * In the deployment's own folder, or, where that path is too long, in a folder of this user's in the temporary
 * directory, under a name that only this deployment's folder gives.
 */
export function socketIn(folder: string, env: Surroundings['env']): string {
  const own = join(folder, 'daemon.sock')
  if (Buffer.byteLength(own) <= LONGEST) return own
  const name = createHash('sha256').update(folder).digest('hex').slice(0, 16)
  return join(env['XDG_RUNTIME_DIR'] || tmpdir(), `graft-${process.getuid?.() ?? 0}`, `${name}.sock`)
}

interface DaemonNote {
  readonly socket: string
  readonly engine: string
}

/** Says where the daemon listens; the returned function takes the note away. */
export async function noteDaemon({ settings, state }: Deployment, note: DaemonNote): Promise<() => Promise<void>> {
  const folder = join(state.repository(settings.repo, settings.path ?? ''), 'daemons')
  await mkdir(folder, { recursive: true, mode: 0o700 })
  const file = join(folder, `${process.pid}.json`)
  await writeFile(file, JSON.stringify(note), { mode: 0o600 })
  return () => rm(file, { force: true })
}

/** Sockets of daemons that follow this repository on this engine; some may be left over from one that was killed. */
export async function socketsOf({ settings, state }: Deployment, env: Surroundings['env']): Promise<string[]> {
  const folder = join(state.repository(settings.repo, settings.path ?? ''), 'daemons')
  const files = await readdir(folder).catch(() => [])
  const notes = await Promise.all(files.map((file) => readNote(join(folder, file))))
  const { url } = await resolveEngineUrl(env, settings.engine)
  return notes.flatMap((note) => (note !== null && note.engine === url ? [note.socket] : []))
}

async function readNote(file: string): Promise<DaemonNote | null> {
  try {
    const value: unknown = JSON.parse(await readFile(file, 'utf8'))
    if (typeof value !== 'object' || value === null) return null
    const { socket, engine } = value as Partial<DaemonNote>
    return typeof socket === 'string' && typeof engine === 'string' ? { socket, engine } : null
  } catch {
    return null
  }
}

/** The first answer of a daemon that listens; null where none does. */
export async function askDaemon<Answer>(
  sockets: readonly string[],
  ask: (socket: string) => Promise<Answer | null>,
): Promise<Answer | null> {
  for (const socket of sockets) {
    const answer = await ask(socket)
    if (answer !== null) return answer
  }
  return null
}
