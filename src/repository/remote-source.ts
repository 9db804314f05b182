// A repository on a Git server: polled cheaply, fetched when its tip moved, read from graft's own clone.

import { configuredAuthor } from './author.ts'
import { openClone, type OpenClone } from './clone.ts'
import { factsOf, peelToCommit, readCommit } from './commit.ts'
import { isOid, MissingObject } from './git-object.ts'
import type { RepositoryLimits } from './limits.ts'
import { emptyRepository, missingCommit } from './missing-ref.ts'
import type { Setup } from './protocol.ts'
import { findRemoteRef, listRemoteRefs, type Remote, type RemoteRef } from './remote-refs.ts'
import { RepositoryFault } from './repository.ts'
import { placesOf, resolveRevision } from './revision.ts'
import type { Objects, Source } from './source.ts'

/** Git's own number for “all of it”. */
const WHOLE_HISTORY = 0x7fffffff

/** `ref` null follows the remote's HEAD. */
export function openRemoteSource(
  { url, cache, depth }: Extract<Setup['source'], { kind: 'remote' }>,
  remote: Remote,
  ref: string | null,
  limits: RepositoryLimits,
): Source {
  const clone = openClone(cache, remote)
  /** What is deployed, once it is known; `asked` null stands for all branches. */
  let tracked: { ref: string | null; asked: string | null; someRef: string; oid: string } | null = null

  async function refreshed(signal: AbortSignal): Promise<NonNullable<typeof tracked>> {
    if (ref !== null && isOid(ref)) return (tracked = await fixedCommit(ref, signal))
    const found = await findRemoteRef(remote, ref, signal)
    const oid = await present(found, signal)
    tracked = { ref: found.ref, asked: found.asked, someRef: found.asked, oid }
    await tidy(tracked, signal)
    return tracked
  }

  /** The ref's object, fetched where it is not there; a fetch may find that it has moved on. */
  async function present({ asked, oid }: RemoteRef, signal: AbortSignal): Promise<string> {
    const now = clone.reload()
    if (now?.store.has(oid) === true) return oid
    return clone.fetch({ ref: asked, someRef: asked, depth: now === null ? depth : null, afresh: false }, signal)
  }

  async function fixedCommit(oid: string, signal: AbortSignal): Promise<NonNullable<typeof tracked>> {
    const known = clone.current()
    const [tip] = Object.keys(known?.state.tips ?? {})
    if (known?.store.has(oid) === true) return { ref: null, asked: null, someRef: tip ?? 'HEAD', oid }
    const refs = (await listRemoteRefs(remote, '', signal)).filter(({ ref }) =>
      /^(HEAD$|refs\/(heads|tags)\/)/.test(ref),
    )
    const exact = refs.find((one) => one.oid === oid || one.peeled === oid)
    const someRef = (exact ?? refs.find((one) => one.ref.startsWith('refs/heads/')))?.ref
    if (someRef === undefined) throw emptyRepository(url)
    const asked = exact?.ref ?? null
    await clone.fetch({ ref: asked, someRef, depth: null, afresh: false }, signal)
    if (clone.current()?.store.has(oid) !== true) throw missingCommit(oid, url)
    return { ref: null, asked, someRef, oid }
  }

  /** isomorphic-git leaves one pack for each fetch and never collects: above some number, a clone with one pack. */
  async function tidy({ asked, someRef }: NonNullable<typeof tracked>, signal: AbortSignal): Promise<void> {
    const now = clone.current()
    if (now === null || now.store.packCount() <= limits.packs) return
    try {
      const kept = now.shallow.size > 0 ? depth : null
      await clone.fetch({ ref: asked, someRef, depth: kept, afresh: true }, signal)
    } catch (error) {
      // What is there still works; the next refresh tries again.
      if (!(error instanceof RepositoryFault)) throw error
    }
  }

  function commitIn({ store }: OpenClone, oid: string): string {
    const commit = peelToCommit(store, oid)
    if (commit === null)
      throw new RepositoryFault('missing-ref', `${oid} in ${url} is not a commit`, 'Name a branch, a tag or a commit')
    return commit
  }

  async function opened(signal: AbortSignal): Promise<OpenClone> {
    const now = clone.current()
    if (now !== null) return now
    await refreshed(signal)
    const then = clone.current()
    if (then === null) throw new MissingObject('clone')
    return then
  }

  function nameIn({ state }: OpenClone, name: string): string | null {
    for (const place of placesOf(name)) {
      if (place === 'HEAD') return tracked?.oid ?? null
      const oid = state.tips[place.replace(/^refs\/remotes\/origin\//, 'refs/heads/')]
      if (oid !== undefined) return oid
    }
    return null
  }

  return {
    async refresh(signal) {
      const { ref: name, oid } = await refreshed(signal)
      const now = await opened(signal)
      return { commit: factsOf(readCommit(now.store, commitIn(now, oid))), ref: name }
    },
    async resolve(revision, signal) {
      const base = revision.trim().replace(/[~^].*$/s, '')
      if (tracked === null && placesOf(base)[0] === 'HEAD') await refreshed(signal)
      let now = await opened(signal)
      if (nameIn(now, base) === null && !(/^[0-9a-f]{4,40}$/.test(base) && now.store.expand(base).length > 0)) {
        await present(await findRemoteRef(remote, base.replace(/^origin\//, ''), signal), signal)
        now = await opened(signal)
      }
      const held = now
      return factsOf(
        readCommit(
          held.store,
          resolveRevision(held.store, (name) => nameIn(held, name), revision),
        ),
      )
    },
    objects: async (): Promise<Objects> => opened(new AbortController().signal),
    async deepen(signal) {
      const now = await opened(signal)
      if (now.shallow.size === 0) return true
      const { asked, someRef } = tracked ?? (await refreshed(signal))
      try {
        await clone.fetch({ ref: asked, someRef, depth: WHOLE_HISTORY, afresh: false }, signal)
      } catch (error) {
        if (error instanceof RepositoryFault && error.kind === 'unsupported') return false
        throw error
      }
      return clone.current()?.shallow.size === 0
    },
    async replace(signal) {
      await clone.forget(signal)
      await refreshed(signal)
      return true
    },
    author: () => configuredAuthor(null),
    async branchTip(name, signal) {
      return (await listRemoteRefs(remote, name, signal)).find((one) => one.ref === name)?.oid ?? null
    },
    admit: async () => undefined,
    async land(landing, signal) {
      const { pushRef } = await import('./push.ts')
      await pushRef(remote, landing, signal)
    },
  }
}
