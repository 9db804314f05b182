// Pushes one new commit to a Git server: its few objects as a pack, and the branch from the old commit to the new one in
// one step. isomorphic-git would walk the whole tree of both for that.
// Git documentation, gitprotocol-pack, "Pushing Data To a Server", and gitprotocol-http.

import { Errors } from 'isomorphic-git'
import { movedOn } from './commit-files.ts'
import { authorization } from './credentials.ts'
import { brokenAnswer, toRemoteFault } from './http-faults.ts'
import { packOf } from './new-object.ts'
import { packetLine, readPackets, withoutSideBand } from './packet-lines.ts'
import type { Remote } from './remote-refs.ts'
import { RepositoryFault } from './repository.ts'
import type { Landing } from './source.ts'

const ADVERTISEMENT = '/info/refs?service=git-receive-pack'

/** Throws RepositoryFault: `moved` where the branch is elsewhere by now, `refused` with the server's own words. */
export async function pushCommit(remote: Remote, landing: Landing, signal: AbortSignal): Promise<void> {
  const { url } = remote
  const headers = await authorization(remote.auth)
  const { http, failed } = remote.transport.open(signal)
  const push = async (): Promise<void> => {
    const listing = await http.request({ url: `${url}${ADVERTISEMENT}`, method: 'GET', headers })
    const advertised = await wholeBody(listing.body)
    checkStatus(listing.statusCode, remote, headers)
    const { tip, abilities } = readAdvertisement(advertised, landing.ref, url)
    if (tip !== landing.from) throw movedOn(landing.ref)
    const base = listing.url.endsWith(ADVERTISEMENT) ? listing.url.slice(0, -ADVERTISEMENT.length) : url
    const asked = ['report-status', 'side-band-64k'].filter((ability) => abilities.has(ability))
    const command = `${landing.from} ${landing.to} ${landing.ref}\0 ${asked.join(' ')}`
    const body = Buffer.concat([packetLine(command), Buffer.from('0000'), packOf(landing.objects)])
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
    if (asked.includes('report-status')) checkReport(report, asked.includes('side-band-64k'), landing, url)
  }
  try {
    await Promise.race([push(), failed])
  } catch (error) {
    signal.throwIfAborted()
    throw toRemoteFault(error, url, headers.Authorization !== undefined)
  }
}

function checkStatus(status: number, { url }: Remote, headers: Readonly<Record<string, string>>): void {
  if (status === 200) return
  if ((status === 401 || status === 403) && headers['Authorization'] !== undefined) {
    throw new RepositoryFault(
      'refused',
      `${new URL(url).host} lets these credentials read ${url}, but not push to it (HTTP ${status})`,
      'Give them the right to write, or commit and push with git',
    )
  }
  throw new Errors.HttpError(status, '', '')
}

/** The branch's commit (null where it is not there) and what the server can do. */
function readAdvertisement(
  bytes: Buffer,
  ref: string,
  url: string,
): { tip: string | null; abilities: ReadonlySet<string> } {
  let tip: string | null = null
  let abilities = new Set<string>()
  for (const packet of readPackets(bytes, url)) {
    const [line = '', more] = packet.toString('utf8').trimEnd().split('\0')
    if (more !== undefined) abilities = new Set(more.trim().split(' '))
    const [, oid, name] = /^([0-9a-f]{40}) (\S+)$/.exec(line) ?? []
    if (name === ref && oid !== undefined) tip = oid
  }
  if (abilities.size === 0) throw brokenAnswer(url, 'it names nothing that it can do')
  return { tip, abilities }
}

/** Other words of a server mean that somebody else was faster. */
const RACED = /fetch first|non-fast-forward|stale info|failed to update ref|cannot lock ref|incorrect old value/i

function checkReport(report: Buffer, sideBand: boolean, { ref }: Landing, url: string): void {
  const { data, words } = sideBand ? withoutSideBand(report, url) : { data: report, words: [] }
  const lines = readPackets(data, url).map((packet) => packet.toString('utf8').trimEnd())
  if (lines.includes(`ok ${ref}`)) return
  const reason = lines.find((line) => line.startsWith(`ng ${ref} `))?.slice(`ng ${ref} `.length)
  const unpack = lines.find((line) => line.startsWith('unpack ') && line !== 'unpack ok')
  if (reason !== undefined && RACED.test(reason)) throw movedOn(ref)
  const told = [reason ?? unpack ?? 'it did not say why', ...words].join('; ').slice(0, 500)
  throw new RepositoryFault(
    'refused',
    `${new URL(url).host} did not take the commit: ${told}`,
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
