// One fetch into a folder of its own, verified before anybody believes it: isomorphic-git may resolve without the data.
// Undoing a fetch is removing that folder.

import { createHash } from 'node:crypto'
import fs from 'node:fs'
import { join } from 'node:path'
import { deflateSync } from 'node:zlib'
import git, { type HttpClient } from 'isomorphic-git'
import { peelToCommit, readCommit } from './commit.ts'
import { DamagedStore, isOid, MissingObject } from './git-object.ts'
import { brokenAnswer } from './http-faults.ts'
import { openObjectStore, type ObjectStore } from './object-store.ts'
import { readPackIndex } from './pack-index.ts'

export interface FetchWish {
  readonly http: HttpClient
  /** Rejects when a request failed: isomorphic-git itself may wait for ever then. */
  readonly failed: Promise<never>
  /** For people. */
  readonly url: string
  /** What the client is asked for: see `Transport.wire`. */
  readonly wire: string
  readonly headers: Readonly<Record<string, string>>
  /** The remote's full ref name; null fetches all branches. */
  readonly ref: string | null
  /** A branch that exists, for when `ref` is null. */
  readonly someRef: string
  readonly depth: number | null
  /** What is there already: its objects, an object to start from, where the history is cut off. */
  readonly have: { readonly store: ObjectStore; readonly tip: string } | null
  readonly objects: string | null
  readonly shallow: readonly string[]
}

export interface Fetched {
  /** The object the ref stands for. */
  readonly tip: string
  /** Its commit. */
  readonly commit: string
  readonly shallow: readonly string[]
  /** Paths of the pack and its index in the folder; empty where nothing was missing. */
  readonly files: readonly string[]
}

/** Fetches into `folder`, which must not exist yet. Throws RepositoryFault, or what the request failed with. */
export async function fetchInto(folder: string, wish: FetchWish): Promise<Fetched> {
  await prepare(folder, wish)
  const { http, url, wire, ref, depth } = wish
  const fetching = git.fetch({
    fs,
    http,
    gitdir: folder,
    url: wire,
    headers: { ...wish.headers },
    ref: 'refs/graft/have',
    remote: 'origin',
    remoteRef: ref ?? wish.someRef,
    singleBranch: ref !== null,
    tags: false,
    ...(depth === null ? {} : { depth }),
  })
  fetching.catch(() => undefined)
  const result = await Promise.race([fetching, wish.failed])
  const tip = result.fetchHead
  if (tip === null || !isOid(tip)) throw brokenAnswer(url, 'it names no object')
  const files = verifyPacks(folder, url)
  return { tip, commit: verifyTip(folder, wish, tip), shallow: readLines(join(folder, 'shallow')), files }
}

/** An empty bare repository that has only the object to start from, and knows where the history is cut off. */
async function prepare(folder: string, { have, shallow, wire }: FetchWish): Promise<void> {
  await git.init({ fs, gitdir: folder, dir: folder, bare: true, defaultBranch: 'graft' })
  await git.setConfig({ fs, gitdir: folder, path: 'remote.origin.url', value: wire })
  await git.setConfig({ fs, gitdir: folder, path: 'remote.origin.fetch', value: '+refs/heads/*:refs/remotes/origin/*' })
  if (shallow.length > 0) fs.writeFileSync(join(folder, 'shallow'), `${shallow.join('\n')}\n`)
  if (have === null) return
  const { type, content } = have.store.read(have.tip)
  const place = join(folder, 'objects', have.tip.slice(0, 2))
  fs.mkdirSync(place, { recursive: true })
  fs.writeFileSync(
    join(place, have.tip.slice(2)),
    deflateSync(Buffer.concat([Buffer.from(`${type} ${content.length}\0`), content])),
  )
  fs.mkdirSync(join(folder, 'refs', 'graft'), { recursive: true })
  fs.writeFileSync(join(folder, 'refs', 'graft', 'have'), `${have.tip}\n`)
}

/** Each pack's checksum is that of its bytes, and its index holds as many objects as it promises. */
function verifyPacks(folder: string, url: string): string[] {
  const packs = join(folder, 'objects', 'pack')
  const names = fs.existsSync(packs) ? fs.readdirSync(packs) : []
  const files: string[] = []
  for (const name of names.filter((one) => one.endsWith('.pack'))) {
    const path = join(packs, name)
    const bytes = fs.readFileSync(path)
    if (bytes.length < 32 || bytes.toString('latin1', 0, 4) !== 'PACK') throw brokenAnswer(url, 'it holds no pack')
    const sum = createHash('sha1').update(bytes.subarray(0, -20)).digest()
    if (!sum.equals(bytes.subarray(-20))) throw brokenAnswer(url, "the pack's checksum is wrong")
    const index = path.replace(/pack$/, 'idx')
    if (!fs.existsSync(index)) throw brokenAnswer(url, 'the pack could not be indexed')
    const promised = bytes.readUInt32BE(8)
    const { count } = readPackIndex(index)
    if (count !== promised) throw brokenAnswer(url, `${promised} objects were promised and ${count} came`)
    files.push(path, index)
  }
  return files
}

/** The tip's commit and root tree can be read, from what came and what was there. */
function verifyTip(folder: string, { url, objects }: FetchWish, tip: string): string {
  const store = openObjectStore([join(folder, 'objects'), ...(objects === null ? [] : [objects])])
  try {
    const commit = peelToCommit(store, tip)
    if (commit === null) throw brokenAnswer(url, `commit ${tip.slice(0, 10)} did not come`)
    const { tree } = readCommit(store, commit)
    if (store.readUpTo(tree, 0).type !== 'tree') throw brokenAnswer(url, `${tree.slice(0, 10)} is no tree`)
    return commit
  } catch (error) {
    if (error instanceof MissingObject || error instanceof DamagedStore) throw brokenAnswer(url, error.message)
    throw error
  } finally {
    store.close()
  }
}

function readLines(path: string): string[] {
  return fs.existsSync(path) ? fs.readFileSync(path, 'utf8').split('\n').filter(isOid) : []
}
