// Telling a forge, against a real HTTP server that plays one: what arrives, what is tried again, and that nothing waits.

import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { afterEach, beforeEach, describe, expect, it } from 'vitest'

import { systemClock } from '../../../src/apply/clock.ts'
import type { CommitStatus } from '../../../src/forge/commit-status.ts'
import { forgeProject } from '../../../src/forge/forge-project.ts'
import { createStatusTeller, type StatusTeller, type TellingFault } from '../../../src/forge/status-teller.ts'

interface Heard {
  readonly path: string
  readonly token: string
  readonly state: string
}

let server: Server
let folder: string
let heard: Heard[]
let answers: { status: number; body?: string; headers?: Record<string, string> }[]
let faults: (TellingFault | null)[]
let slept: number[]
let abort: AbortController
let teller: StatusTeller

beforeEach(async () => {
  heard = []
  answers = []
  faults = []
  slept = []
  abort = new AbortController()
  server = createServer((request, response) => {
    let text = ''
    request.on('data', (part) => (text += String(part)))
    request.on('end', () => {
      const { state } = JSON.parse(text) as { state: string }
      heard.push({ path: request.url ?? '', token: request.headers.authorization ?? '', state })
      const answer = answers.shift() ?? { status: 201 }
      response.writeHead(answer.status, answer.headers).end(answer.body ?? '{}')
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', () => resolve()))
  folder = await mkdtemp(join(tmpdir(), 'graft-forge-'))
  await writeFile(join(folder, 'token'), 'secret-1\n')
  const { port } = server.address() as AddressInfo
  const project = forgeProject(`http://127.0.0.1:${port}/team/site`, { kind: 'gitea' })
  if (project === null) throw new Error('no project')
  teller = createStatusTeller({
    project,
    tokenFile: join(folder, 'token'),
    // Pauses are written down and not waited for.
    clock: {
      ...systemClock,
      async sleep(milliseconds, signal) {
        if (milliseconds === PATIENCE) return systemClock.sleep(milliseconds, signal)
        slept.push(milliseconds)
      },
    },
    signal: abort.signal,
    onFault: (fault) => faults.push(fault),
  })
})
afterEach(async () => {
  abort.abort()
  server.closeAllConnections()
  await new Promise((resolve) => server.close(resolve))
  await rm(folder, { recursive: true })
})

/** Unlike every pause of the teller. */
const PATIENCE = 4_321
const status = (state: CommitStatus['state'], commit = 'a'): CommitStatus => ({
  commit: commit.repeat(40),
  state,
  context: 'graft/web1',
  description: 'words',
  link: null,
})

describe('a status', () => {
  it('arrives, with the token as it is now', async () => {
    teller.tell(status('pending'))
    await teller.settled(PATIENCE)
    await writeFile(join(folder, 'token'), 'secret-2')
    teller.tell(status('success'))
    await teller.settled(PATIENCE)
    expect(heard).toEqual([
      { path: `/api/v1/repos/team/site/statuses/${'a'.repeat(40)}`, token: 'token secret-1', state: 'pending' },
      { path: `/api/v1/repos/team/site/statuses/${'a'.repeat(40)}`, token: 'token secret-2', state: 'success' },
    ])
    expect(faults.filter((fault) => fault !== null)).toEqual([])
  })

  it('is tried again with growing pauses, told of once, and told of when it is over', async () => {
    answers = [{ status: 500 }, { status: 500 }, { status: 502 }]
    teller.tell(status('success'))
    await teller.settled(PATIENCE)
    expect(heard).toHaveLength(4)
    expect(slept).toEqual([5_000, 10_000, 20_000])
    expect(faults.map((fault) => fault?.message.replace(/.*: /, '') ?? null)).toEqual(['HTTP 500', 'HTTP 502', null])
  })

  it('that is never taken does not keep back the others', async () => {
    answers = [{ status: 404 }, { status: 201 }, { status: 404 }, { status: 201 }]
    teller.tell(status('success', 'a'))
    teller.tell(status('success', 'b'))
    await teller.settled(PATIENCE)
    expect(heard.map(({ path }) => path.slice(-1))).toEqual(['a', 'b', 'a', 'a'])
  })

  it('waits as long as the forge asks for', async () => {
    answers = [{ status: 429, headers: { 'retry-after': '90' } }]
    teller.tell(status('success'))
    await teller.settled(PATIENCE)
    expect(slept).toEqual([90_000])
  })

  it('that the forge will never take is given up, with its words', async () => {
    answers = [{ status: 422, body: '{"message":"No commit found for SHA"}' }]
    teller.tell(status('success', 'a'))
    teller.tell(status('success', 'b'))
    await teller.settled(PATIENCE)
    expect(heard.map(({ path }) => path.slice(-1))).toEqual(['a', 'b'])
    expect(faults[0]?.message).toContain('HTTP 422, No commit found for SHA')
  })

  it('takes the place of an earlier one that was not told yet', async () => {
    answers = [{ status: 503 }]
    teller.tell(status('pending'))
    teller.tell(status('failure'))
    await teller.settled(PATIENCE)
    expect(heard.at(-1)?.state).toBe('failure')
    expect(heard.filter(({ state }) => state === 'pending').length).toBeLessThanOrEqual(1)
  })

  it('without a readable token is not sent, and the file is named', async () => {
    await rm(join(folder, 'token'))
    teller.tell(status('success'))
    await expect.poll(() => faults.length).toBeGreaterThan(0)
    abort.abort()
    expect(heard).toEqual([])
    expect(faults[0]?.message).toBe(`the forge's token in ${join(folder, 'token')} cannot be read`)
  })

  it('never shows the token, and telling returns at once', async () => {
    answers = [{ status: 401, body: '{"message":"bad credentials"}' }]
    const began = performance.now()
    teller.tell(status('success'))
    expect(performance.now() - began).toBeLessThan(50)
    await teller.settled(PATIENCE)
    expect(JSON.stringify(faults)).not.toContain('secret-1')
    expect(faults[0]?.remedy).toContain('token')
  })
})
