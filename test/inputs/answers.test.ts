// What the engine, its containers and registries answer, made up by somebody who wants graft to fall over: streams without
// end, labels of ours with nonsense in them, log lines that steer a terminal.

import { Readable } from 'node:stream'

import fc from 'fast-check'
import { expect } from 'vitest'

import { EngineFault } from '../../src/apply/engine.ts'
import { createOutput } from '../../src/cli/output.ts'
import { parseReference } from '../../src/desired/image-reference.ts'
import { jsonLines } from '../../src/engine/json-lines.ts'
import { readContainerLabels, readIngressPorts, readResourceLabels } from '../../src/engine/labels.ts'
import { logLineJoiner } from '../../src/engine/log-lines.ts'
import { frames } from '../../src/engine/stream-frames.ts'
import { ownColours, plain, steadyJson, withoutSteering } from '../../src/report/columns.ts'
import { serve } from '../unit/registry/http-server.ts'
import { graft } from '../unit/cli/fake-surroundings.ts'
import { inputTable, runs } from './input-table.ts'

const { row } = inputTable('Answers of engines, containers and registries')
/** What no terminal may get, besides colours. */
// oxlint-disable-next-line no-control-regex
const CONTROLS = /[\u0000-\u0008\u000B-\u001F\u007F-\u009F\u202A-\u202E\u2066-\u2069]/
const QUICK = { patience: { attemptMs: 1_000, waitMs: 1_500 } }

async function collect<T>(source: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = []
  for await (const one of source) all.push(one)
  return all
}

row('random frames of a log', async () => {
  const count = runs(300, 5_000)
  await fc.assert(
    fc.asyncProperty(fc.array(fc.uint8Array({ maxLength: 60 }), { maxLength: 8 }), fc.boolean(), async (parts, tty) => {
      const joiner = logLineJoiner(tty)
      try {
        for await (const frame of frames(Readable.from(parts.map((part) => Buffer.from(part))), tty)) joiner.add(frame)
      } catch (error) {
        expect(String(error)).toContain('a stream that is none of a container')
      }
      joiner.end()
    }),
    { numRuns: count },
  )
  return `${count} read`
})

row(
  'a frame that says it has 4 GB',
  async () => {
    const head = Buffer.from([1, 0, 0, 0, 0xff, 0xff, 0xff, 0xff])
    const stream = Readable.from(
      (function* () {
        yield head
        for (let at = 0; at < 300; at++) yield Buffer.alloc(1024 ** 2)
      })(),
    )
    const before = process.memoryUsage().rss
    const begun = performance.now()
    const said = await collect(frames(stream, false)).then(
      (all) => `${all.length} pieces`,
      (error: unknown) => (error instanceof Error ? error.message : String(error)),
    )
    expect(process.memoryUsage().rss - before).toBeLessThan(200 * 1024 ** 2)
    expect(performance.now() - begun).toBeLessThan(20_000)
    return said
  },
  60_000,
)

row('a log line without end', async () => {
  const joiner = logLineJoiner(false)
  let longest = 0
  for (let at = 0; at < 200; at++) {
    for (const { text } of joiner.add({ stream: 'stdout', bytes: Buffer.alloc(100_000, 'x') }))
      longest = Math.max(longest, text.length)
  }
  expect(longest).toBeLessThan(2 * 1024 ** 2)
  return `given in parts of ${Math.round(longest / 1024)} kB`
})

row('events and pulls: lines without end, and lines that are no JSON', async () => {
  const endless = Readable.from(
    (function* () {
      for (let at = 0; at < 100; at++) yield Buffer.alloc(1024 ** 2, 'x')
    })(),
  )
  await expect(collect(jsonLines(endless))).rejects.toThrow('a line that does not end')
  const odd = ['{', 'null', '"x"', '{"__proto__":{"polluted":1}}', '\u0000', '[]', '1e999']
  await collect(jsonLines(Readable.from([odd.join('\n')])))
  expect(Object.hasOwn(Object.prototype, 'polluted')).toBe(false)
  return 'ended after 4 MB; the rest is left out'
})

row('labels of ours with nonsense in them', () => {
  const count = runs(500, 20_000)
  const keys = [
    'deployment',
    'leaf',
    'kind',
    'generation',
    'digest',
    'restart',
    'ingress-ports',
    'image-id',
    'files',
    'secrets',
    'adopted',
    'container',
  ]
  const text = fc.oneof(
    fc.string(),
    fc.json(),
    fc.constantFrom(
      'job',
      'container',
      'lock',
      '-1',
      '1e9',
      '99999999999999999999',
      '[null]',
      '[{}]',
      '[{"target":"x\\nserver evil"}]',
    ),
  )
  const labels = fc.dictionary(fc.constantFrom(...keys.map((key) => `dev.graft.${key}`)), text)
  fc.assert(
    fc.property(labels, (given) => {
      const read = readContainerLabels(given)
      if (read !== null) expect(Number.isSafeInteger(read.generation)).toBe(true)
      for (const port of readIngressPorts({ 'dev.graft.deployment': 'x', ...given })) {
        expect(Number.isInteger(port.target) && Number.isInteger(port.published)).toBe(true)
        expect(['tcp', 'udp', 'sctp']).toContain(port.protocol)
      }
      readResourceLabels(given)
    }),
    { numRuns: count },
  )
  return `${count} read`
})

row('the label of ports as a way into the ingress’s configuration', () => {
  const evil = [
    { target: 80, published: 80, protocol: 'tcp', host_ip: '0.0.0.0:1\n  server evil 6.6.6.6:80' },
    { target: '80\nbackend x', published: 80, protocol: 'tcp' },
    { target: 80, published: 1e9, protocol: 'tcp' },
    { target: 80, published: 80, protocol: 'tcp\n' },
    { target: 80, published: 8080, protocol: 'tcp' },
  ]
  const ports = readIngressPorts({ 'dev.graft.deployment': 'x', 'dev.graft.ingress-ports': JSON.stringify(evil) })
  expect(ports).toEqual([{ target: 80, published: 8080, protocol: 'tcp', mode: 'ingress' }])
  return '1 of 5 counts'
})

const STEERING: readonly (readonly [string, string])[] = [
  ['clears the screen', '\u001B[2J\u001B[H'],
  ['sets the title', '\u001B]0;owned\u0007'],
  ['writes the clipboard', '\u001B]52;c;ZXZpbA==\u001B\\'],
  ['moves the cursor up', '\u001B[5A\r'],
  ['answers back', '\u001B[6n\u001BZ\u001B[c'],
  ['8-bit control', '\u009B2J\u009D0;x\u009C'],
  ['hides what follows', '\u001B[8m\u001B[0;8m\u001B[08m'],
  ['turns the direction of writing', '\u202Eevil\u2066'],
  ['device control', '\u001BP$q"p\u001B\\'],
  ['an end that is cut', '\u001B'],
  ['an escape inside an escape', '\u001B\u001B[31m[2J'],
]
row('log lines that steer a terminal', () => {
  for (const [what, text] of STEERING) {
    for (const clean of [withoutSteering(`a${text}b`), ownColours(`a${text}b`), plain(`a${text}b`)]) {
      // oxlint-disable-next-line no-control-regex
      expect(clean.replace(/\u001B\[[0-9;]*m/g, ''), what).not.toMatch(CONTROLS)
      // oxlint-disable-next-line no-control-regex
      expect(clean, what).not.toMatch(/\u001B\[(?:\d+;)*0*8m/)
    }
  }
  expect(withoutSteering('\u001B[31mred\u001B[38;5;8mgrey\u001B[38;2;8;8;8mx\t|\n')).toBe(
    '\u001B[31mred\u001B[38;5;8mgrey\u001B[38;2;8;8;8mx\t|\n',
  )
  expect(ownColours('\u001B[31mred')).toBe('\u001B[31mred\u001B[0m')
  return `${STEERING.length} kinds; colours and tabs stay`
})

row('random texts to a terminal', () => {
  const count = runs(500, 20_000)
  const pieces = fc.array(
    fc.oneof(
      fc.constantFrom('\u001B', '[', ']', '\u001B[', 'm', '2J', '8', ';', '\u009B', '\u0007', '\n', '0'),
      fc.string({ unit: 'binary', maxLength: 4 }),
    ),
    { maxLength: 20 },
  )
  fc.assert(
    fc.property(pieces, (parts) => {
      const clean = withoutSteering(parts.join(''))
      // oxlint-disable-next-line no-control-regex
      expect(clean.replace(/\u001B\[[0-9;]*m/g, '')).not.toMatch(CONTROLS)
      expect(withoutSteering(clean)).toBe(clean)
      const value = { text: parts.join('') }
      expect(JSON.parse(steadyJson(JSON.stringify(value)))).toEqual(value)
    }),
    { numRuns: count },
  )
  return `${count} written`
})

row(
  'everything that a command writes goes that way',
  async () => {
    const { out, err } = await graft(['validate', '--repo', '/\u001B[2J\u009B31m'])
    expect(out + err).not.toContain('\u009B')
    expect(out + err).not.toContain('\u001B[2J')
    let written = ''
    const stream = { write: (text: string) => ((written += text), true) }
    const terminal = { stream, isTerminal: true, size: () => ({ columns: 80, rows: 24 }) } as never
    const output = createOutput({ stdout: terminal, stderr: terminal, env: {} } as never, undefined)
    output.print(['a\u001B[2Jb'])
    output.say(['a\u001B]0;x\u0007b'])
    output.printJson({ a: '\u009B2J' })
    expect(written).toBe('ab\nab\n{\n  "a": "\\u009b2J"\n}\n')
    return 'print, say, JSON'
  },
  600_000,
)

const NONSENSE: readonly (readonly [string, string | Buffer])[] = [
  ['nothing', ''],
  ['HTML', '<html>'],
  ['a number', '1'],
  ['null', 'null'],
  ['tags that are none', '{"tags":[1,null,{},["x"]],"__proto__":{"polluted":1}}'],
  ['tags with escapes', '{"tags":["\\u001b[2J","../../x","a b"]}'],
  ['a manifest of nothing', '{"schemaVersion":2}'],
  ['a manifest of nonsense', '{"schemaVersion":2,"manifests":[null,1,{"digest":1}],"config":{"digest":"../../etc"}}'],
  ['brackets without end', '['.repeat(1_000_000)],
  ['random bytes', Buffer.from([0xff, 0xfe, 0, 1, 2])],
]
for (const [what, body] of NONSENSE) {
  row(
    `a registry that answers ${what}`,
    async () => {
      const { address, registry } = await serve((_request, response) => {
        response
          .writeHead(200, {
            'content-type': 'application/vnd.oci.image.index.v1+json',
            'docker-content-digest': '../../x',
          })
          .end(body)
      }, QUICK)
      const image = parseReference(`${address}/team/app:1.0`)
      if (image === null) throw new Error('no reference')
      const said: string[] = []
      for (const ask of [
        () => registry.tags(image),
        () => registry.digest(image),
        () => registry.describe(image, null),
      ]) {
        const answer: unknown = await ask().then(
          (value) => value,
          (error: unknown) => error,
        )
        if (answer instanceof Error) {
          expect(answer).toBeInstanceOf(EngineFault)
          expect(answer.message).not.toMatch(/Cannot read|undefined|is not a function/)
          expect(answer.message).not.toContain('\u001B')
        }
        said.push(answer instanceof Error ? answer.message.replaceAll(address, 'HOST') : JSON.stringify(answer))
      }
      expect(Object.hasOwn(Object.prototype, 'polluted')).toBe(false)
      return said[0]?.slice(0, 110) ?? ''
    },
    60_000,
  )
}

row(
  'a registry whose pages of tags never end',
  async () => {
    let page = 0
    const { address, registry } = await serve((_request, response) => {
      page += 1
      const headers = {
        'content-type': 'application/json',
        link: `</v2/team/app/tags/list?n=1&last=t${page}>; rel="next"`,
      }
      response
        .writeHead(200, headers)
        .end(JSON.stringify({ tags: Array.from({ length: 1_000 }, (_, at) => `t${page}-${at}`) }))
    })
    const image = parseReference(`${address}/team/app:1.0`)
    if (image === null) throw new Error('no reference')
    const said: unknown = await registry.tags(image).then(
      (tags) => `${tags.length} tags`,
      (error: unknown) => error,
    )
    expect(page).toBeLessThanOrEqual(501)
    return said instanceof Error ? said.message.replaceAll(address, 'HOST') : String(said)
  },
  120_000,
)

row(
  'a registry whose answer never ends',
  async () => {
    const { address, registry } = await serve((_request, response) => {
      response.writeHead(200, { 'content-type': 'application/json' })
      const piece = Buffer.alloc(1024 ** 2, 'x')
      const more = (): void => {
        if (!response.destroyed && response.write(piece)) setImmediate(more)
        else response.once('drain', more)
      }
      more()
    }, QUICK)
    const image = parseReference(`${address}/team/app:1.0`)
    if (image === null) throw new Error('no reference')
    const fault: unknown = await registry.tags(image).catch((error: unknown) => error)
    expect(fault).toBeInstanceOf(EngineFault)
    return fault instanceof Error ? fault.message.replaceAll(address, 'HOST') : ''
  },
  60_000,
)

row(
  'a registry that sends elsewhere: to a file, to the host’s metadata, in circles',
  async () => {
    const said: string[] = []
    for (const location of ['file:///etc/passwd', 'gopher://x', '/v2/team/app/tags/list', 'http://[', '//']) {
      const { address, registry } = await serve(
        (_request, response) => void response.writeHead(307, { location }).end(),
        QUICK,
      )
      const image = parseReference(`${address}/team/app:1.0`)
      if (image === null) throw new Error('no reference')
      const fault: unknown = await registry.tags(image).catch((error: unknown) => error)
      expect(fault, location).toBeInstanceOf(EngineFault)
      said.push(fault instanceof Error ? fault.message.replaceAll(address, 'HOST') : '')
    }
    return said[0] ?? ''
  },
  60_000,
)
