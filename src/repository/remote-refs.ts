// Asks a Git server which refs it has, and finds the one that a person named.

import git, { type HttpClient, type ServerRef } from 'isomorphic-git'
import { authorization } from './credentials.ts'
import { brokenAnswer, toRemoteFault } from './http-faults.ts'
import type { Transport } from './http-transport.ts'
import { emptyRepository, missingRef } from './missing-ref.ts'
import type { Credentials } from './protocol.ts'
import { RepositoryFault } from './repository.ts'

export interface RemoteRef {
  /** Full name; null where the remote's HEAD is on no branch. */
  readonly ref: string | null
  /** What to ask for in a fetch: `ref`, or `HEAD`. */
  readonly asked: string
  /** Of an annotated tag, the tag object's own id. */
  readonly oid: string
}

export interface Remote {
  readonly url: string
  readonly auth: Credentials
  readonly transport: Transport
}

/** Refs whose name begins with `prefix` (empty: all). Throws RepositoryFault. Git protocol version 2, ls-refs. */
export async function listRemoteRefs(remote: Remote, prefix: string, signal: AbortSignal): Promise<ServerRef[]> {
  const { url, transport } = remote
  const headers = await authorization(remote.auth)
  const { http, failed, close } = transport.open(signal)
  try {
    const listing = git.listServerRefs({
      http: wholeAnswers(http, url),
      url: transport.wire(url),
      headers,
      symrefs: true,
      peelTags: true,
      ...(prefix === '' ? {} : { prefix }),
    })
    return await Promise.race([listing, failed])
  } catch (error) {
    signal.throwIfAborted()
    throw toRemoteFault(error, url, headers.Authorization !== undefined)
  } finally {
    close()
  }
}

/** A list that was cut between two refs reads like a shorter one, so that a branch would seem to be gone. */
function wholeAnswers(http: HttpClient, url: string): HttpClient {
  return {
    async request(wish) {
      const answer = await http.request(wish)
      if (answer.statusCode !== 200 || answer.body === undefined) return answer
      const parts: Uint8Array[] = []
      for await (const part of answer.body) parts.push(part)
      const whole = Buffer.concat(parts)
      const isGit = answer.headers?.['content-type']?.startsWith('application/x-git-') === true
      if (isGit && whole.toString('latin1', whole.length - 4) !== '0000')
        throw brokenAnswer(url, 'the list of refs has no end')
      return { ...answer, body: once(whole) }
    },
  }
}

async function* once(bytes: Uint8Array): AsyncIterableIterator<Uint8Array> {
  yield bytes
}

/** The ref for a name as a person writes it, or the remote's HEAD for null. Throws RepositoryFault `missing-ref`. */
export async function findRemoteRef(remote: Remote, name: string | null, signal: AbortSignal): Promise<RemoteRef> {
  for (const place of placesOnRemote(name)) {
    // A prefix matches longer names too.
    const found = (await listRemoteRefs(remote, place, signal)).find(({ ref }) => ref === place)
    if (found !== undefined) {
      const ref = place === 'HEAD' ? (found.target ?? null) : place
      return { ref, asked: ref ?? place, oid: found.oid }
    }
  }
  const branches = (await listRemoteRefs(remote, 'refs/heads/', signal)).map(({ ref }) =>
    ref.slice('refs/heads/'.length),
  )
  if (name !== null) throw missingRef(name.replace(/^refs\/heads\//, ''), branches, remote.url)
  if (branches.length === 0) throw emptyRepository(remote.url)
  throw new RepositoryFault(
    'missing-ref',
    `the HEAD of ${remote.url} is on a branch that does not exist; its branches are: ${branches.slice(0, 10).join(', ')}`,
    'Name one of them with --ref',
  )
}

function placesOnRemote(name: string | null): readonly string[] {
  if (name === null || name === 'HEAD') return ['HEAD']
  return name.startsWith('refs/') ? [name] : [`refs/heads/${name}`, `refs/tags/${name}`]
}
