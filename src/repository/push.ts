// Pushes one ref to a Git server: the objects that it lacks as a pack, and the ref from the old object to the new one in
// one step, over any transport. isomorphic-git would walk the whole tree of both for that.
// Git documentation, gitprotocol-pack, "Pushing Data To a Server", and gitprotocol-http.

import { Errors } from 'isomorphic-git'
import { hostOf } from './address.ts'
import { movedOn } from './commit-files.ts'
import { authorization } from './credentials.ts'
import { brokenAnswer, toRemoteFault } from './http-faults.ts'
import { inWords } from './limits.ts'
import { type NewObject, packOf } from './new-object.ts'
import { packetLine, readPackets, withoutSideBand } from './packet-lines.ts'
import type { Remote } from './remote-refs.ts'
import { RepositoryFault } from './repository.ts'

export interface RefPush {
  /** Full name: `refs/heads/main`, `refs/notes/graft`. */
  readonly ref: string
  /** What the ref stands for before; null where it must not exist yet. */
  readonly from: string | null
  readonly to: string
  /** Everything below `to` that the server may lack. */
  readonly objects: readonly NewObject[]
}

const NO_OBJECT = '0'.repeat(40)
/** Bytes of the objects of one push; they are held in memory together, more than once. */
const PACK_BYTES = 128 * 1024 ** 2

/** Throws RepositoryFault: `moved` where the ref is elsewhere by now, `refused` with the server's own words. */
export function pushRef(remote: Remote, push: RefPush, signal: AbortSignal): Promise<void> {
  return pushAgainst(remote, () => push, signal)
}

/**
 * As `pushRef`, for who must first see what the server has: `decide` gets its refs by full name. A ref that is at its aim
 * already is left alone.
 */
export async function pushAgainst(
  remote: Remote,
  decide: (refs: ReadonlyMap<string, string>) => RefPush,
  signal: AbortSignal,
): Promise<void> {
  const { url, transport } = remote
  const headers = await authorization(remote.auth)
  const { http, failed, close } = transport.open(signal)
  const wire = transport.wire(url)
  const push = async (): Promise<void> => {
    const listing = await http.request({ url: `${wire}${ADVERTISEMENT}`, method: 'GET', headers })
    const advertised = await wholeBody(listing.body)
    checkStatus(listing.statusCode, remote, headers)
    const { refs, abilities } = readAdvertisement(advertised, url)
    const wish = decide(refs)
    const tip = refs.get(wish.ref) ?? null
    if (tip === wish.to) return
    if (tip !== wish.from) throw movedOn(wish.ref)
    const base = listing.url.endsWith(ADVERTISEMENT) ? listing.url.slice(0, -ADVERTISEMENT.length) : wire
    const asked = ['report-status', 'side-band-64k'].filter((ability) => abilities.has(ability))
    const command = `${wish.from ?? NO_OBJECT} ${wish.to} ${wish.ref}\0 ${asked.join(' ')}`
    const body = Buffer.concat([packetLine(command), Buffer.from('0000'), packWithin(wish.objects)])
    const answer = await http.request({
      url: `${base}/git-receive-pack`,
      method: 'POST',
      headers: {
        ...headers,
        'content-type': 'application/x-git-receive-pack-request',
        accept: 'application/x-git-receive-pack-result',
      },
      body: once(body),
    })
    const report = await wholeBody(answer.body)
    checkStatus(answer.statusCode, remote, headers)
    if (asked.includes('report-status')) checkReport(report, asked.includes('side-band-64k'), wish.ref, url)
  }
  try {
    await Promise.race([push(), failed])
  } catch (error) {
    signal.throwIfAborted()
    throw toRemoteFault(error, url, headers.Authorization !== undefined)
  } finally {
    close()
  }
}

const ADVERTISEMENT = '/info/refs?service=git-receive-pack'

function packWithin(objects: readonly NewObject[]): Buffer {
  const pack = packOf(objects, PACK_BYTES)
  if (pack !== null) return pack
  throw new RepositoryFault(
    'refused',
    `what the server lacks is larger than ${inWords(PACK_BYTES)}`,
    'Push the branch with git',
  )
}

function checkStatus(status: number, { url }: Remote, headers: Readonly<Record<string, string>>): void {
  if (status === 200) return
  if ((status === 401 || status === 403) && headers['Authorization'] !== undefined) {
    throw new RepositoryFault(
      'refused',
      `${hostOf(url)} lets these credentials read ${url}, but not push to it (HTTP ${status})`,
      'Give them the right to write, or commit and push with git',
    )
  }
  throw new Errors.HttpError(status, '', '')
}

/** The server's refs by full name, and what it can do. */
function readAdvertisement(
  bytes: Buffer,
  url: string,
): { refs: ReadonlyMap<string, string>; abilities: ReadonlySet<string> } {
  const refs = new Map<string, string>()
  let abilities = new Set<string>()
  for (const packet of readPackets(bytes, url)) {
    const [line = '', more] = packet.toString('utf8').trimEnd().split('\0')
    if (more !== undefined) abilities = new Set(more.trim().split(' '))
    const [, oid, name] = /^([0-9a-f]{40}) (\S+)$/.exec(line) ?? []
    if (name?.startsWith('refs/') === true && oid !== undefined) refs.set(name, oid)
  }
  if (abilities.size === 0) throw brokenAnswer(url, 'it names nothing that it can do')
  const format = [...abilities].find((ability) => ability.startsWith('object-format='))
  if (format !== undefined && format !== 'object-format=sha1') {
    throw new RepositoryFault(
      'unsupported',
      `${url} names its objects by ${format.slice('object-format='.length)}, and graft writes sha1 only`,
      'Commit and push with git',
    )
  }
  return { refs, abilities }
}

/** Other words of a server mean that somebody else was faster. */
const RACED = /fetch first|non-fast-forward|stale info|failed to update ref|cannot lock ref|incorrect old value/i

function checkReport(report: Buffer, sideBand: boolean, ref: string, url: string): void {
  const { data, words } = sideBand ? withoutSideBand(report, url) : { data: report, words: [] }
  const lines = readPackets(data, url).map((packet) => packet.toString('utf8').trimEnd())
  if (lines.includes(`ok ${ref}`)) return
  const reason = lines.find((line) => line.startsWith(`ng ${ref} `))?.slice(`ng ${ref} `.length)
  const unpack = lines.find((line) => line.startsWith('unpack ') && line !== 'unpack ok')
  if (reason !== undefined && RACED.test(reason)) throw movedOn(ref)
  const told = [reason ?? unpack ?? 'it did not say why', ...words].join('; ').slice(0, 500)
  const what = ref.startsWith('refs/heads/') ? 'the commit' : ref
  throw new RepositoryFault(
    'refused',
    `${hostOf(url)} did not take ${what}: ${told}`,
    'Look at the rules of the branch (protection, hooks), or commit by a pull request',
  )
}

async function wholeBody(body: AsyncIterable<Uint8Array> | undefined): Promise<Buffer> {
  const parts: Uint8Array[] = []
  if (body !== undefined) for await (const part of body) parts.push(part)
  return Buffer.concat(parts)
}

async function* once(bytes: Uint8Array): AsyncIterableIterator<Uint8Array> {
  yield bytes
}
