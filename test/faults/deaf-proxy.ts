// A proxy in front of the engine's socket that passes everything on, and of the stream of events only what comes while
// it is not deaf: the connection stays open, and nothing is heard of it.

import { rm } from 'node:fs/promises'
import { connect, createServer, type Socket } from 'node:net'

export interface DeafProxy {
  readonly url: string
  deaf: boolean
  /** Bytes of events that were swallowed. */
  swallowed(): number
  stop(): Promise<void>
}

export async function startDeafProxy(engineUrl: string, socket: string): Promise<DeafProxy> {
  await rm(socket, { force: true })
  const open = new Set<Socket>()
  let swallowed = 0
  const server = createServer({ allowHalfOpen: true }, (client) => {
    const upstream = connect({ path: engineUrl.replace(/^unix:\/\//, ''), allowHalfOpen: true })
    // A connection that events were asked for on is theirs from then on: the answer never ends.
    let events = false
    for (const one of [client, upstream]) {
      open.add(one)
      one.on('close', () => open.delete(one))
    }
    client.on('data', (chunk) => {
      if (/^GET (\/v[\d.]+)?\/events\?/m.test(chunk.toString('latin1'))) events = true
      upstream.write(chunk)
    })
    upstream.on('data', (chunk) => {
      if (events && proxy.deaf) swallowed += chunk.length
      else client.write(chunk)
    })
    client.on('end', () => upstream.end())
    upstream.on('end', () => client.end())
    client.on('error', () => upstream.destroy())
    upstream.on('error', () => client.destroy())
  })
  const proxy: DeafProxy = {
    url: `unix://${socket}`,
    deaf: false,
    swallowed: () => swallowed,
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        for (const one of open) one.destroy()
      }),
  }
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(socket, () => resolve())
  })
  return proxy
}
