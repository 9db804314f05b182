// The clone in graft's cache: opened as its verified state says, changed by whole fetches only, replaced when damaged.

import fs from 'node:fs'
import { basename, join } from 'node:path'
import { Errors } from 'isomorphic-git'
import { withLock } from './cache-lock.ts'
import { type CloneState, forgetState, newFolder, readState, sweep, writeState } from './clone-state.ts'
import { authorization } from './credentials.ts'
import { type Fetched, fetchInto } from './fetch.ts'
import { DamagedStore, isDiskError, MissingObject } from './git-object.ts'
import { toRemoteFault } from './http-faults.ts'
import { openObjectStore } from './object-store.ts'
import { openRefs } from './refs.ts'
import type { Remote } from './remote-refs.ts'
import { RepositoryFault } from './repository.ts'
import type { Objects } from './source.ts'
import { openTreeReader } from './tree.ts'

export interface OpenClone extends Objects {
  readonly state: CloneState
}

export interface CloneFetch {
  /** Full ref name, or null for all branches. */
  readonly ref: string | null
  readonly someRef: string
  readonly depth: number | null
  /** Clone afresh beside what is there, and then use that. */
  readonly afresh: boolean
}

export interface Clone {
  /** What is there now; null before the first fetch. */
  current(): OpenClone | null
  /** Fetches, verifies and takes over; returns the object the ref stands for. Throws RepositoryFault. */
  fetch(wish: CloneFetch, signal: AbortSignal): Promise<string>
  /** Looks at the state file again: another process may have fetched. */
  reload(): OpenClone | null
  /** Gives up what is there, unless another process has replaced it already. */
  forget(signal: AbortSignal): Promise<void>
}

export function openClone(cache: string, remote: Remote): Clone {
  const { url } = remote
  let open: OpenClone | null = null
  /** After a fetch that did not fit what is there, the next one starts from nothing. */
  let distrust = false

  function reload(): OpenClone | null {
    const state = readState(cache, url)
    if (state === null || !fs.existsSync(join(cache, state.clone, 'objects'))) {
      close()
      return null
    }
    if (open === null || open.state.clone !== state.clone) {
      close()
      const store = openObjectStore([join(cache, state.clone, 'objects')])
      open = { state, store, trees: openTreeReader(store), shallow: new Set(state.shallow) }
    } else open = { ...open, state, shallow: new Set(state.shallow) }
    return open
  }

  function close(): void {
    open?.store.close()
    open = null
  }

  async function fetchAndTakeOver(wish: CloneFetch, signal: AbortSignal): Promise<string> {
    const before = reload()
    sweep(cache, before?.state.clone ?? null)
    const start = wish.afresh || distrust ? null : before
    const folder = join(cache, newFolder(cache, 'fetch'))
    try {
      const fetched = await fetchVerified(folder, wish, start, signal)
      distrust = false
      const state = start === null ? becomeClone(folder, wish, fetched) : addTo(start, folder, wish, fetched)
      writeState(cache, state)
      sweep(cache, state.clone)
      reload()?.store.rescan()
      return fetched.tip
    } catch (error) {
      if (start !== null && error instanceof RepositoryFault && error.kind === 'server') distrust = true
      throw error
    } finally {
      fs.rmSync(folder, { recursive: true, force: true })
    }
  }

  async function fetchVerified(folder: string, wish: CloneFetch, start: OpenClone | null, signal: AbortSignal) {
    const headers = await authorization(remote.auth)
    const { http, failed, close } = remote.transport.open(signal)
    const wire = remote.transport.wire(url)
    const { tips = {}, shallow = [] } = start?.state ?? {}
    const tip = tips[wish.ref ?? wish.someRef] ?? Object.values(tips)[0]
    const { ref, someRef, depth } = wish
    const have = start !== null && tip !== undefined ? { store: start.store, tip } : null
    const objects = start === null ? null : join(cache, start.state.clone, 'objects')
    try {
      return await fetchInto(folder, { http, failed, url, wire, headers, ref, someRef, depth, have, objects, shallow })
    } catch (error) {
      signal.throwIfAborted()
      if (error instanceof Errors.RemoteCapabilityError) {
        throw new RepositoryFault('unsupported', `${url} cannot give a part of its history`, 'Leave the depth out', {
          cause: error,
        })
      }
      throw isOwnError(error) ? error : toRemoteFault(error, url, headers.Authorization !== undefined)
    } finally {
      close()
    }
  }

  function becomeClone(folder: string, wish: CloneFetch, fetched: Fetched): CloneState {
    const tips = tipsOf(folder, wish, fetched)
    fetched.files.forEach(flush)
    const clone = newFolder(cache, 'clone')
    fs.renameSync(folder, join(cache, clone))
    flush(cache)
    return { url, clone, tips, shallow: fetched.shallow }
  }

  function addTo(start: OpenClone, folder: string, wish: CloneFetch, fetched: Fetched): CloneState {
    const packs = join(cache, start.state.clone, 'objects', 'pack')
    // The pack before its index: whoever sees the index finds the pack.
    for (const file of fetched.files) {
      flush(file)
      fs.renameSync(file, join(packs, basename(file)))
    }
    flush(packs)
    return { ...start.state, tips: { ...start.state.tips, ...tipsOf(folder, wish, fetched) }, shallow: fetched.shallow }
  }

  return {
    current: () => open ?? reload(),
    reload,
    fetch: (wish, signal) => withLock(cache, signal, () => fetchAndTakeOver(wish, signal)),
    async forget(signal) {
      const known = open?.state.clone
      await withLock(cache, signal, async () => {
        if (readState(cache, url)?.clone === known) forgetState(cache)
        reload()
      })
    },
  }
}

function tipsOf(folder: string, { ref, someRef }: CloneFetch, { tip }: Fetched): Record<string, string> {
  if (ref !== null) return { [ref]: tip }
  const refs = openRefs(folder)
  const branches = refs.list('refs/remotes/origin/').flatMap((name) => {
    const oid = refs.read(name)
    return oid === null ? [] : [[name.replace('refs/remotes/origin/', 'refs/heads/'), oid] as const]
  })
  return { ...Object.fromEntries(branches), [someRef]: tip }
}

/** Errors of the disk and of reading our own objects are not the server's. */
function isOwnError(error: unknown): boolean {
  return isDiskError(error) || error instanceof MissingObject || error instanceof DamagedStore
}

/** To the disk, file or folder. */
function flush(path: string): void {
  const file = fs.openSync(path, 'r')
  try {
    fs.fsyncSync(file)
  } finally {
    fs.closeSync(file)
  }
}
