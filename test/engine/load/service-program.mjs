// A small service for tests under load, as one would write it: HTTP on 8080 that says its generation, an echo on TCP
// 9000 whose lines begin with it, and an orderly end at SIGTERM. Environment: GENERATION, CRASH_AFTER (ms),
// UNHEALTHY_AFTER (ms; it goes on serving), NEVER_HEALTHY (1), START_AFTER (ms before anything is served).

import { createServer } from 'node:http'
import { createServer as createTcpServer } from 'node:net'

const { GENERATION: generation = '0', CRASH_AFTER, UNHEALTHY_AFTER, NEVER_HEALTHY, START_AFTER } = process.env
/** How long open TCP connections may still be used once the end was asked for, in milliseconds. */
const LAST_WORDS = 100

let healthy = NEVER_HEALTHY !== '1'
let ending = false
if (CRASH_AFTER !== undefined) setTimeout(() => process.exit(3), Number(CRASH_AFTER))
if (UNHEALTHY_AFTER !== undefined) setTimeout(() => (healthy = false), Number(UNHEALTHY_AFTER))

const web = createServer((request, response) => {
  const asksHealth = request.url === '/health'
  const text = asksHealth ? (healthy ? 'healthy\n' : 'not healthy\n') : `${generation}\n`
  const headers = { 'content-type': 'text/plain', 'content-length': Buffer.byteLength(text) }
  if (ending) headers.connection = 'close'
  response.writeHead(asksHealth && !healthy ? 503 : 200, headers).end(text)
  if (ending) request.socket.end()
})
// The peer decides when an idle connection ends, so that none is closed while a request is on its way.
web.keepAliveTimeout = 0

const open = new Set()
const echo = createTcpServer({ noDelay: true }, (socket) => {
  open.add(socket)
  let rest = ''
  socket.setEncoding('utf8')
  socket.on('data', (chunk) => {
    const lines = (rest + chunk).split('\n')
    rest = lines.pop() ?? ''
    socket.write(lines.map((line) => `${generation} ${line}\n`).join(''))
  })
  socket.on('error', () => undefined)
  socket.on('close', () => open.delete(socket))
})

process.on('SIGTERM', () => {
  if (ending) return
  ending = true
  web.close()
  echo.close()
  setTimeout(() => {
    web.closeIdleConnections()
    for (const socket of open) socket.end()
    // What is still being answered has a second more.
    setTimeout(() => process.exit(0), 1000).unref()
  }, LAST_WORDS)
})

setTimeout(
  () => {
    web.listen(8080, '::')
    echo.listen(9000, '::')
  },
  Number(START_AFTER ?? 0),
)
