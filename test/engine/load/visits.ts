// A client that visits a published port a hundred times a second, each time anew, and tells for how long nobody answered.

import { get } from 'node:http'

export interface Visits {
  /** Resolves to the longest time without an answer, in milliseconds, when the port answers again. */
  end(): Promise<number>
}

const EVERY = 10
const TIMEOUT = 1_000
/** An answer after this long without a pause means that whatever was to be seen is over. */
const SETTLED = 150

/** Resolves when the port has answered for the first time. */
export async function visit(port: number): Promise<Visits> {
  let last = 0
  let longest = 0
  let timer: NodeJS.Timeout | undefined
  const first = new Promise<void>((resolve) => {
    const ask = (): void => {
      // Without waiting for the one before: a lost SYN comes again after a second only.
      void answers(port).then((answered) => {
        const now = performance.now()
        if (!answered) return
        if (last !== 0) longest = Math.max(longest, now - last)
        last = now
        resolve()
      })
    }
    timer = setInterval(ask, EVERY)
  })
  await first
  return {
    async end() {
      for (const begun = performance.now(); last < begun + SETTLED;)
        await new Promise((next) => setTimeout(next, EVERY))
      clearInterval(timer)
      return longest
    },
  }
}

/** A connection alone would tell nothing: the engine's proxy takes one also where no container runs. */
function answers(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const options = { host: '127.0.0.1', port, path: '/', agent: false, timeout: TIMEOUT }
    const request = get(options, (response) => {
      response.resume()
      response.on('end', () => resolve(true))
      response.on('error', () => resolve(false))
    })
    request.on('timeout', () => request.destroy())
    request.on('error', () => resolve(false))
  })
}
