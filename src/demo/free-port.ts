// A TCP port that nobody listens on at this moment.

import { randomInt } from 'node:crypto'
import { createServer } from 'node:net'

// Below the ports that systems hand to outgoing connections (Linux from 32768 on), so that no connection takes the
// port between the answer and its use.
const LOWEST = 20_000
const HIGHEST = 32_000
const TRIES = 100

const given = new Set<number>()

/**
 * On the loopback address; a process is never given the same one twice. Between the answer and its use another process
 * may take it.
 */
export async function freePort(): Promise<number> {
  for (let attempt = 0; attempt < TRIES; attempt++) {
    const port = randomInt(LOWEST, HIGHEST)
    if (given.has(port) || !(await listens(port))) continue
    given.add(port)
    return port
  }
  throw new Error(`no free TCP port found between ${LOWEST} and ${HIGHEST} on 127.0.0.1 in ${TRIES} tries`)
}

function listens(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer()
    server.once('error', () => resolve(false))
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)))
  })
}
