// Tells a forge how commits fare, beside everything else: nothing waits for it, and what cannot be told is tried again
// with growing pauses until something newer is to be said of that commit, or it is given up.

import { readFile } from 'node:fs/promises'

import type { Dispatcher } from 'undici'
import { request } from 'undici'

import type { Clock } from '../apply/clock.ts'
import { isSaidAlready, statusRequest, tokenHeader, type CommitStatus } from './commit-status.ts'
import type { ForgeProject } from './forge-project.ts'

export interface StatusTeller {
  /** Returns at once. A later status of the same commit and context takes an earlier one's place. */
  tell(status: CommitStatus): void
  /** Resolves when nothing is left to tell, or after `milliseconds`. */
  settled(milliseconds: number): Promise<void>
}

export interface TellerOptions {
  readonly project: ForgeProject
  /** Read again for each request, so that a renewed token is used at once. */
  readonly tokenFile: string
  readonly clock: Clock
  readonly signal: AbortSignal
  readonly dispatcher?: Dispatcher
  /** Told once for each reason why statuses do not arrive, and with null when they do again. */
  readonly onFault: (fault: TellingFault | null) => void
}

export interface TellingFault {
  readonly message: string
  readonly remedy: string
}

const FIRST_PAUSE = 5_000
const LONGEST_PAUSE = 300_000
/** As long as a forge may ask for. */
const LONGEST_WISH = 3_600_000
/** Tries for one status; with the pauses above that is about two hours. */
const TRIES = 30
/** Statuses that wait; the oldest are given up, the newest matter most. */
const MOST_WAITING = 50
const TIMEOUT = 15_000
const BODY_LIMIT = 64 * 1024

interface Waiting {
  readonly status: CommitStatus
  tries: number
}

export function createStatusTeller(options: TellerOptions): StatusTeller {
  const { project, clock, signal, onFault } = options
  const waiting = new Map<string, Waiting>()
  let working: Promise<void> | null = null
  let told: string | null = null

  function noteFault(fault: TellingFault | null): void {
    const words = fault?.message ?? null
    if (words !== told) onFault(fault)
    told = words
  }

  async function work(): Promise<void> {
    let failures = 0
    while (waiting.size > 0 && !signal.aborted) {
      const [key, next] = [...waiting][0] ?? []
      if (key === undefined || next === undefined) return
      next.tries += 1
      const answer = await send(options, next.status)
      // A newer status of the same commit may have come meanwhile.
      const done = answer === null || answer.final || next.tries >= TRIES
      if (waiting.get(key) === next) {
        waiting.delete(key)
        // Behind the others: what is never taken must not keep them back.
        if (!done) waiting.set(key, next)
      }
      noteFault(answer)
      failures = answer === null ? 0 : failures + 1
      if (answer !== null && waiting.size > 0) {
        const pause = Math.max(answer.after ?? 0, Math.min(LONGEST_PAUSE, FIRST_PAUSE * 2 ** (failures - 1)))
        await clock.sleep(pause, signal)
      }
    }
  }

  return {
    tell(status) {
      const key = `${status.commit} ${status.context}`
      waiting.delete(key)
      waiting.set(key, { status, tries: 0 })
      const [oldest] = waiting.keys()
      if (waiting.size > MOST_WAITING && oldest !== undefined) waiting.delete(oldest)
      working ??= work().finally(() => (working = null))
    },
    async settled(milliseconds) {
      const over = new AbortController()
      await Promise.race([working ?? Promise.resolve(), clock.sleep(milliseconds, over.signal)])
      over.abort()
    },
  }

  /** For messages: never with the token. */
  function place(): string {
    return `${new URL(project.api).host} (${project.path})`
  }

  async function send(
    { tokenFile, dispatcher }: TellerOptions,
    status: CommitStatus,
  ): Promise<(TellingFault & { readonly final: boolean; readonly after?: number }) | null> {
    let token: string
    try {
      token = (await readFile(tokenFile, 'utf8')).trim()
    } catch {
      return fault(`the forge's token in ${tokenFile} cannot be read`, 'Correct the path or its permissions', false)
    }
    const { method, url, headers, body } = statusRequest(project, status)
    try {
      const answer = await request(url, {
        method,
        headers: { ...headers, ...tokenHeader(project.kind, token), 'user-agent': 'graft' },
        body,
        signal: AbortSignal.any([signal, AbortSignal.timeout(TIMEOUT)]),
        ...(dispatcher === undefined ? {} : { dispatcher }),
      })
      const text = await textOf(answer.body)
      if (answer.statusCode >= 200 && answer.statusCode < 300) return null
      if (isSaidAlready(project.kind, answer.statusCode, text)) return null
      return refusal(answer.statusCode, answer.headers['retry-after'], text)
    } catch (error) {
      const words = error instanceof Error ? (error.cause instanceof Error ? error.cause.message : error.message) : ''
      return fault(`${place()} does not take commit statuses: ${words}`, 'It is tried again by itself', false)
    }
  }

  function refusal(status: number, retryAfter: string | string[] | undefined, body: string) {
    const said = messageIn(body)
    const words = `${place()} did not take a commit status: HTTP ${status}${said === null ? '' : `, ${said}`}`
    if (status === 401 || status === 403 || status === 404) {
      return fault(words, 'Give the token the right to write commit statuses of this project', false, retryAfter)
    }
    if (status === 408 || status === 429 || status >= 500) {
      return fault(words, 'It is tried again by itself', false, retryAfter)
    }
    return fault(words, 'This status is given up; later ones are told', true)
  }

  function fault(message: string, remedy: string, final: boolean, retryAfter?: string | string[]) {
    const seconds = typeof retryAfter === 'string' && /^\d{1,5}$/.test(retryAfter) ? Number(retryAfter) : null
    const after = seconds === null ? {} : { after: Math.min(LONGEST_WISH, seconds * 1000) }
    return { message, remedy, final, ...after }
  }
}

/** The `message` of an error, as all four send it. */
function messageIn(body: string): string | null {
  try {
    const parsed: unknown = JSON.parse(body)
    if (typeof parsed !== 'object' || parsed === null || !('message' in parsed)) return null
    const text = typeof parsed.message === 'string' ? parsed.message : JSON.stringify(parsed.message)
    return text.slice(0, 200)
  } catch {
    return null
  }
}

async function textOf(body: AsyncIterable<Uint8Array>): Promise<string> {
  const parts: Uint8Array[] = []
  let bytes = 0
  for await (const part of body) {
    bytes += part.length
    if (bytes <= BODY_LIMIT) parts.push(part)
  }
  return Buffer.concat(parts).toString('utf8')
}
