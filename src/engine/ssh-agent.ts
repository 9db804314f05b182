// Connections to an engine behind ssh://, through the person's own `ssh` with its configuration, keys and known hosts,
// as Docker's client does (`docker system dial-stdio` on the other side).

import { spawn } from 'node:child_process'
import { Agent } from 'node:http'
import { Duplex } from 'node:stream'

/** An HTTP agent whose every connection is one `ssh` process; idle ones are kept and used again. */
export function sshAgent(url: URL): Agent {
  const agent = new Agent({ keepAlive: true })
  return Object.assign(agent, { createConnection: () => openConnection(url) })
}

function openConnection(url: URL): Duplex {
  const host = url.username === '' ? url.hostname : `${decodeURIComponent(url.username)}@${url.hostname}`
  const port = url.port === '' ? [] : ['-p', url.port]
  const command = ['-o', 'BatchMode=yes', '-T', ...port, '--', host, 'docker', 'system', 'dial-stdio']
  const child = spawn('ssh', command, { stdio: ['pipe', 'pipe', 'pipe'] })
  let complaint = ''
  child.stderr.setEncoding('utf8').on('data', (text: string) => (complaint = (complaint + text).slice(-500)))
  const stream = Duplex.from({ writable: child.stdin, readable: child.stdout })
  child.on('error', (error) => stream.destroy(error))
  child.on('exit', (code) => {
    if (code !== 0) stream.destroy(new Error(`ssh ended with ${code}: ${complaint.trim()}`))
  })
  stream.on('close', () => child.kill())
  // What Node's HTTP client expects of a socket and a pipe does not have.
  const still = () => stream
  return Object.assign(stream, {
    setTimeout: still,
    setKeepAlive: still,
    setNoDelay: still,
    ref: still,
    unref: still,
  })
}
