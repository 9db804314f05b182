// The clients, in a process of their own. Its one argument is a LoadOrder as JSON; the parent asks `look`, `take` or
// `stop` over the channel of `fork`, and is answered with a LoadResult (client.ts).

import { connect } from 'node:net'

const order = JSON.parse(process.argv[2] ?? '{}')
const { http = [], echo = [], fresh = 0, kept = 0, idle = 0, long = 0 } = order
const pace = order.paceMs ?? 0
const echoEvery = order.echoEveryMs ?? 5
const idleFor = order.idleMs ?? 2500
const patience = order.patienceMs ?? 5000
const CLASSES = ['fresh', 'kept', 'idle', 'long']

let going = true
let figures = emptyFigures()
/** When each client last succeeded, so that a pause that spans two sections is seen. */
const lastOf = new Map()
const lastOfClass = new Map()
let lastOfAll = null

function emptyFigures() {
  const classes = Object.fromEntries(
    CLASSES.map((name) => [
      name,
      { tried: 0, succeeded: 0, failed: {}, opened: 0, pause: 0, pauseAt: 0, onePause: 0, onePauseAt: 0, times: [] },
    ]),
  )
  return { since: Date.now(), pause: 0, pauseAt: 0, classes, ends: [], failures: [], generations: {}, clients: {} }
}

/** The figures of one client; what it does is in those of its class, too. */
const ofClient = (client) => (figures.clients[client] ??= { succeeded: 0, failed: 0, pause: 0, pauseAt: 0 })

function succeeded(name, client, began, generation) {
  const now = performance.now()
  const one = figures.classes[name]
  one.succeeded += 1
  ofClient(client).succeeded += 1
  notePause(ofClient(client), 'pause', lastOf.get(client), now)
  one.times.push(now - began)
  figures.generations[generation] = (figures.generations[generation] ?? 0) + 1
  notePause(one, 'onePause', lastOf.get(client), now)
  notePause(one, 'pause', lastOfClass.get(name), now)
  notePause(figures, 'pause', lastOfAll, now)
  lastOf.set(client, now)
  lastOfClass.set(name, now)
  lastOfAll = now
}

function notePause(into, key, last, now) {
  if (last === undefined || last === null || now - last <= into[key]) return
  into[key] = now - last
  into[`${key}At`] = Date.now() - (now - last)
}

function failed(name, client, kind, words) {
  const one = figures.classes[name]
  one.failed[kind] = (one.failed[kind] ?? 0) + 1
  ofClient(client).failed += 1
  const detail = `${client}: ${words}`
  if (figures.failures.length < 200) figures.failures.push({ at: Date.now(), class: name, client, kind, detail })
}

const kindOf = (error) =>
  error.code === 'ECONNREFUSED' ? 'refused' : error.code === 'ECONNRESET' || error.code === 'EPIPE' ? 'reset' : 'other'

/** A connection that keeps what came, and tells when it ended. `closed` is null while it may be written to. */
function open({ host, port }) {
  const state = { socket: connect({ host, port, noDelay: true }), connected: false, text: '', closed: null, wake: null }
  const close = (how) => {
    state.closed ??= how
    state.wake?.()
  }
  state.socket.setEncoding('latin1')
  state.socket.on('connect', () => {
    state.connected = true
    state.wake?.()
  })
  state.socket.on('data', (chunk) => {
    state.text += chunk
    state.wake?.()
  })
  state.socket.on('end', () => close({ kind: 'cut', detail: 'closed' }))
  state.socket.on('error', (error) => close({ kind: kindOf(error), detail: error.message }))
  state.socket.on('close', () => close({ kind: 'cut', detail: 'closed' }))
  return state
}

/** Resolves to what `found` gives once it is not null, or to a failure. */
function until(state, found) {
  return new Promise((resolve) => {
    const finish = (value) => {
      clearTimeout(timer)
      state.wake = null
      resolve(value)
    }
    const look = () => {
      const value = found()
      if (value !== null) finish(value)
      else if (state.closed !== null) finish({ failure: state.closed })
    }
    const timer = setTimeout(
      () => finish({ failure: { kind: 'time-out', detail: state.connected ? 'no answer' : 'no connection' } }),
      patience,
    )
    state.wake = look
    look()
  })
}

const connected = (state) => until(state, () => (state.connected ? {} : null))

function answerIn(state) {
  const end = state.text.indexOf('\r\n\r\n')
  if (end < 0) return null
  const head = state.text.slice(0, end)
  const length = Number(/\r\ncontent-length: *(\d+)/i.exec(head)?.[1] ?? 0)
  if (state.text.length < end + 4 + length) return null
  const body = state.text.slice(end + 4, end + 4 + length)
  state.text = state.text.slice(end + 4 + length)
  return { status: Number(head.slice(9, 12)), closes: /\r\nconnection: *close/i.test(head), body }
}

const turn = () => new Promise((resolve) => setImmediate(resolve))
const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms))

async function httpClient(name, number) {
  const client = `${name}${number}`
  const request = `GET /${name}/${number} HTTP/1.1\r\nHost: load\r\n${name === 'fresh' ? 'Connection: close\r\n' : ''}\r\n`
  let state = null
  while (going) {
    const began = performance.now()
    figures.classes[name].tried += 1
    if (state === null) {
      state = open(http[number % http.length])
      figures.classes[name].opened += 1
    }
    let answer = state.connected ? {} : await connected(state)
    if (answer.failure === undefined) {
      state.socket.write(request)
      answer = await until(state, () => answerIn(state))
    }
    if (answer.failure !== undefined) failed(name, client, answer.failure.kind, answer.failure.detail)
    else if (answer.status !== 200) failed(name, client, 'wrong status', `HTTP ${answer.status}`)
    else succeeded(name, client, began, answer.body.trim())
    if (name === 'fresh' || answer.failure !== undefined || answer.closes) {
      state.socket.destroy()
      state = null
    }
    if (name === 'idle') await pause(idleFor * (0.5 + Math.random()))
    else if (pace > 0) await pause(pace)
    // What the server has already said about an idle connection is heard before anything is sent on it.
    else await turn()
    if (state !== null && state.closed !== null) {
      state.socket.destroy()
      state = null
    }
    if (answer.failure !== undefined) await pause(5)
  }
  state?.socket.destroy()
}

async function longClient(number) {
  const client = `long${number}`
  let sequence = 0
  while (going) {
    const state = open(echo[number % echo.length])
    figures.classes.long.opened += 1
    figures.classes.long.tried += 1
    const up = await connected(state)
    if (up.failure !== undefined) {
      failed('long', client, up.failure.kind, up.failure.detail)
      state.socket.destroy()
      await pause(5)
      continue
    }
    const openedAt = Date.now()
    let generation = null
    let echoes = 0
    while (going) {
      const began = performance.now()
      figures.classes.long.tried += 1
      sequence += 1
      const line = `${client} ${sequence}`
      state.socket.write(`${line}\n`)
      const answer = await until(state, () => {
        const end = state.text.indexOf('\n')
        if (end < 0) return null
        const said = state.text.slice(0, end)
        state.text = state.text.slice(end + 1)
        const [from = '', ...rest] = said.split(' ')
        return { from, right: rest.join(' ') === line }
      })
      if (answer.failure !== undefined) {
        // Its end is judged by whoever knows when the drain was over; it is no failed try by itself.
        figures.classes.long.tried -= 1
        const { kind, detail } = answer.failure
        figures.ends.push({ at: Date.now(), openedAt, client, generation, echoes, kind, detail })
        break
      }
      generation = answer.from
      echoes += 1
      if (answer.right) succeeded('long', client, began, answer.from)
      else failed('long', client, 'wrong answer', 'not what was sent')
      await pause(echoEvery)
    }
    state.socket.destroy()
    // Opening it was a try too, and it succeeded.
    figures.classes.long.succeeded += 1
  }
}

function percentiles(times) {
  const sorted = Float64Array.from(times).sort()
  const at = (share) => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0
  return { p50: at(0.5), p95: at(0.95), p99: at(0.99), max: at(1) }
}

function result() {
  const now = performance.now()
  // A pause that still goes on counts as far as it has come.
  for (const [client, last] of lastOf) {
    const one = figures.classes[client.replace(/\d+$/, '')]
    notePause(one, 'onePause', last, now)
    notePause(ofClient(client), 'pause', last, now)
  }
  for (const [name, last] of lastOfClass) notePause(figures.classes[name], 'pause', last, now)
  notePause(figures, 'pause', lastOfAll, now)
  const classes = Object.fromEntries(
    Object.entries(figures.classes).map(([name, { times, ...rest }]) => [name, { ...rest, ms: percentiles(times) }]),
  )
  const all = Object.values(figures.classes)
  return {
    since: figures.since,
    until: Date.now(),
    tried: all.reduce((sum, { tried }) => sum + tried, 0),
    succeeded: all.reduce((sum, one) => sum + one.succeeded, 0),
    failed: all.flatMap((one) => Object.values(one.failed)).reduce((sum, count) => sum + count, 0),
    pause: figures.pause,
    pauseAt: figures.pauseAt,
    classes,
    ends: figures.ends,
    failures: figures.failures,
    generations: figures.generations,
    clients: figures.clients,
  }
}

const clients = [
  ...Array.from({ length: fresh }, (_, number) => httpClient('fresh', number)),
  ...Array.from({ length: kept }, (_, number) => httpClient('kept', number)),
  ...Array.from({ length: idle }, (_, number) => httpClient('idle', number)),
  ...Array.from({ length: long }, (_, number) => longClient(number)),
]

process.on('message', async ({ id, ask }) => {
  if (ask === 'stop') {
    // What stands still now has stood still for the clients too.
    const last = result()
    going = false
    await Promise.all(clients)
    process.send?.({ id, result: last }, () => process.exit(0))
    return
  }
  const answer = result()
  if (ask === 'take') figures = emptyFigures()
  process.send?.({ id, result: answer })
})
process.on('disconnect', () => process.exit(1))
