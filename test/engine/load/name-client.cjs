// Runs in a container: asks the engine's name server for a name 500 times a second, and holds connections to the
// service by address. At SIGTERM it prints what it saw as one line of JSON. Arguments: name, milliseconds between lookups.

const { createSocket } = require('node:dgram')
const { connect } = require('node:net')

const [, name, every] = process.argv
const ECHO_PORT = 9000
/** How often each held connection is used, in milliseconds. */
const ECHO_EVERY = 5

const socket = createSocket('udp4')
const waiting = new Map()
const misses = []
const held = []
let asked = 0
let answered = 0

const labels = name.split('.').map((label) => Buffer.concat([Buffer.from([label.length]), Buffer.from(label)]))
// RFC 1035, section 4.1.2: type A, class IN.
const question = Buffer.concat([...labels, Buffer.from([0, 0, 1, 0, 1])])

socket.on('message', (message) => {
  const number = message.readUInt16BE(0)
  const at = waiting.get(number)
  if (at === undefined) return
  waiting.delete(number)
  answered += 1
  const code = message[3] & 15
  const records = message.readUInt16BE(6)
  if (code !== 0 || records === 0) return misses.push({ at, code })
  const address = [...message.subarray(message.length - 4)].join('.')
  // An address is given out again when its container is gone.
  if (!held.some((one) => one.address === address && one.endedAt === 0)) hold(address)
})

/** Each container that the name has led to gets a connection that is used until it ends. */
function hold(address) {
  const one = { address, openedAt: 0, echoes: 0, longest: 0, endedAt: 0, how: '' }
  held.push(one)
  const connection = connect({ host: address, port: ECHO_PORT, noDelay: true })
  let sent = 0
  const say = () => {
    sent = performance.now()
    connection.write('x\n')
  }
  connection.on('connect', () => {
    one.openedAt = Date.now()
    say()
  })
  connection.on('data', () => {
    one.echoes += 1
    one.longest = Math.max(one.longest, performance.now() - sent)
    setTimeout(say, ECHO_EVERY)
  })
  const end = (how) => () => {
    one.endedAt ||= Date.now()
    one.how ||= how
    connection.destroy()
  }
  connection.on('end', end('closed'))
  connection.on('error', end('broken'))
}

const begun = performance.now()
const timer = setInterval(() => {
  // A timer that comes late makes up for it.
  for (; asked < (performance.now() - begun) / Number(every); asked++) {
    const head = Buffer.alloc(12)
    const number = asked & 0xffff
    head.writeUInt16BE(number, 0)
    head.writeUInt16BE(0x0100, 2)
    head.writeUInt16BE(1, 4)
    waiting.set(number, Date.now())
    socket.send(Buffer.concat([head, question]), 53, '127.0.0.11')
  }
}, 1)

process.on('SIGTERM', () => {
  clearInterval(timer)
  setTimeout(() => {
    const silent = [...waiting.values()]
    process.stdout.write(`${JSON.stringify({ asked, answered, misses, silent, held })}\n`, () => process.exit(0))
  }, 1000)
})
