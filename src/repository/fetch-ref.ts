// Fetches what one ref of a server stands for into a bare folder of graft's own, and touches no ref there: notes, mainly.

import { randomBytes } from 'node:crypto'
import { existsSync, mkdirSync, renameSync, rmSync } from 'node:fs'
import { basename, join } from 'node:path'
import { authorization } from './credentials.ts'
import { fetchInto } from './fetch.ts'
import { DamagedStore, isDiskError, MissingObject } from './git-object.ts'
import { toRemoteFault } from './http-faults.ts'
import { openObjectStore } from './object-store.ts'
import { listRemoteRefs, type Remote } from './remote-refs.ts'

export interface RefWish {
  /** Full name: `refs/notes/graft`. It must stand for a commit. */
  readonly ref: string
  /** A folder with `objects` in it; packs are added there, one for each fetch that brought something. */
  readonly folder: string
  /** A commit in `folder` whose history the server need not send again; null: everything is sent. */
  readonly have: string | null
}

/** The commit that the ref stands for on the server, which is in `folder` then; null where the ref is not there. Throws RepositoryFault. */
export async function fetchRef(remote: Remote, wish: RefWish, signal: AbortSignal): Promise<string | null> {
  const { ref, folder, have } = wish
  const { url, transport } = remote
  // A prefix matches longer names too.
  const found = (await listRemoteRefs(remote, ref, signal)).find((one) => one.ref === ref)
  if (found === undefined) return null
  const objects = join(folder, 'objects')
  const store = openObjectStore([objects])
  const beside = join(folder, `fetch-${randomBytes(6).toString('hex')}`)
  const headers = await authorization(remote.auth)
  const { http, failed, close } = transport.open(signal)
  try {
    if (store.has(found.oid)) return found.oid
    const start = have !== null && store.has(have) ? { store, tip: have } : null
    const { tip, files } = await fetchInto(beside, {
      http,
      failed,
      url,
      wire: transport.wire(url),
      headers,
      ref,
      someRef: ref,
      depth: null,
      have: start,
      objects: existsSync(objects) ? objects : null,
      shallow: [],
    })
    const packs = join(objects, 'pack')
    mkdirSync(packs, { recursive: true })
    // The pack before its index: whoever sees the index finds the pack.
    for (const file of files) renameSync(file, join(packs, basename(file)))
    return tip
  } catch (error) {
    signal.throwIfAborted()
    if (isDiskError(error) || error instanceof MissingObject || error instanceof DamagedStore) throw error
    throw toRemoteFault(error, url, headers.Authorization !== undefined)
  } finally {
    close()
    store.close()
    rmSync(beside, { recursive: true, force: true })
  }
}
