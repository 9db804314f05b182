// Connections to an engine behind ssh://, through the person's own `ssh` with its configuration, keys and known hosts,
// as Docker's client does (`docker system dial-stdio` on the other side).

import { spawn } from 'node:child_process'
import { Agent } from 'node:http'
import { Socket } from 'node:net'
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
  // The end of ssh says why it ended, so neither a broken pipe nor the end of its output is passed on before that.
  child.stdin.on('error', () => {})
  const stream = new Duplex({
    read: () => void child.stdout.resume(),
    write: (chunk: Buffer, _encoding, done) => void child.stdin.write(chunk, () => done()),
    final: (done) => void child.stdin.end(() => done()),
    destroy: (error, done) => {
      child.kill()
      done(error)
    },
  })
  child.stdout.on('data', (chunk: Buffer) => {
    if (!stream.push(chunk)) child.stdout.pause()
  })
  child.on('error', (error) => stream.destroy(error))
  child.on('close', (code) => {
    if (code === 0 || stream.destroyed) stream.push(null)
    else stream.destroy(new Error(`ssh ended with ${code}: ${complaint.trim()}`))
  })
  // What Node's HTTP client expects of a socket and a pipe does not have.
  const still = () => stream
  const pipes = [child.stdin, child.stdout, child.stderr].filter((pipe) => pipe instanceof Socket)
  return Object.assign(stream, {
    setTimeout: still,
    setKeepAlive: still,
    setNoDelay: still,
    ref: () => {
      for (const held of [child, ...pipes]) held.ref()
      return stream
    },
    // An idle connection does not keep the program alive.
    unref: () => {
      for (const held of [child, ...pipes]) held.unref()
      return stream
    },
  })
}
