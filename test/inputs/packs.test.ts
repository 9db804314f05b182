// A Git server that lies: packs that are none, deltas to nowhere, bombs, answers without end. Nothing is taken over, the
// clone that is there goes on, the child stays within its memory, and this process does not notice.

import { createHash, randomBytes } from 'node:crypto'
import { readFileSync } from 'node:fs'

import fc from 'fast-check'
import { afterAll, beforeAll, expect } from 'vitest'

import { RepositoryFault, type Repository } from '../../src/repository/repository.ts'
import { type Served, serveRepository } from '../engine/repository/served-repository.ts'
import { inputTable, runs } from './input-table.ts'
import { backBy, band, fetchAnswer, KINDS, packBytes, packet, type PackWish, zerosDeflated } from './pack-bytes.ts'

const { row, longRow } = inputTable('Packs and answers of a Git server', { share: 0.06 })
const FILES = { 'deployment.yaml': 'name: site\nformat: 1\n', 'web.yaml': 'generation: 1\nimage: nginx\n' }
const M = 1024 ** 2

let served: Served
let url = ''
let usual: Repository
let rewrite: ((path: string, body: Buffer) => Buffer) | null = null

beforeAll(async () => {
  served = await serveRepository(FILES)
  const front = await served.front({
    behind: served.server.url,
    rewrite: ({ url: path = '' }, body) => rewrite?.(path, body) ?? body,
  })
  url = `http://127.0.0.1:${front.port}/served.git`
  usual = await open()
})
afterAll(() => served.end())

/** What a refresh says when a fetch is answered so; before and after it, all is well. */
async function lie(how: (path: string, body: Buffer) => Buffer, limits?: object): Promise<RepositoryFault> {
  const repository = limits === undefined ? usual : await open(limits)
  const { commit } = await repository.refresh()
  served.push({ noise: randomBytes(3_000).toString('hex') })
  const own = residentBytes()
  rewrite = how
  let said: unknown = null
  try {
    said = await repository.refresh().then(
      () => null,
      (error: unknown) => error,
    )
  } finally {
    rewrite = null
  }
  expect(said).toBeInstanceOf(RepositoryFault)
  expect(residentBytes() - own, 'memory of this process').toBeLessThan(300 * M)
  expect((await repository.snapshot(commit.id)).entries.size).toBeGreaterThan(1)
  expect((await repository.refresh()).commit.id).toBe(served.head())
  if (repository !== usual) await repository.close()
  if (!(said instanceof RepositoryFault)) throw said
  expect(said.message).not.toMatch(/undefined|Cannot read/)
  expect(said.message).not.toContain('\u001B')
  expect(said.remedy).not.toBe('')
  return said
}

function open(limits = {}): Promise<Repository> {
  return served.open({ repo: url, limits: { operationMs: 60_000, ...limits } })
}

function instead(pack: Buffer, before: readonly Buffer[] = []) {
  return (_path: string, body: Buffer): Buffer => (body.includes('PACK') ? fetchAnswer(pack, before) : body)
}

const words = ({ kind, message }: RepositoryFault): string => `${kind}: ${message.replace(url, 'URL')}`

const blob = { kind: KINDS.blob, content: Buffer.from('hello') }
const delta = Buffer.from([5, 5, 0x90, 5])
const packs: readonly [string, PackWish][] = [
  ['more objects promised than come', { count: 1_000, entries: [blob] }],
  ['four billion objects promised', { count: 0xffff_ffff, entries: [blob] }],
  ['none promised', { count: 0, entries: [blob] }],
  ['none at all', { entries: [] }],
  ['objects that nobody asked for', { entries: [blob] }],
  ['a delta to nowhere', { entries: [{ kind: KINDS.referenceDelta, base: randomBytes(20), content: delta }] }],
  ['a delta from before the pack', { entries: [{ kind: KINDS.offsetDelta, base: backBy(5_000), content: delta }] }],
  ['a delta from itself', { entries: [{ kind: KINDS.offsetDelta, base: backBy(0), content: delta }] }],
  [
    'a delta from the middle of an object',
    { entries: [blob, { kind: KINDS.offsetDelta, base: backBy(3), content: delta }] },
  ],
  [
    'a delta that makes a terabyte',
    {
      entries: [
        blob,
        {
          kind: KINDS.offsetDelta,
          base: backBy(14),
          content: Buffer.from([5, 0x80, 0x80, 0x80, 0x80, 0x80, 0x40, 0x90, 5]),
        },
      ],
    },
  ],
  [
    'a delta that copies from outside',
    {
      entries: [
        blob,
        {
          kind: KINDS.offsetDelta,
          base: backBy(14),
          content: Buffer.from([5, 5, 0xff, 0xff, 0xff, 0xff, 0x7f, 5, 0, 0]),
        },
      ],
    },
  ],
  ['an object that is longer than it says', { entries: [{ ...blob, size: 2 }] }],
  ['an object that is shorter than it says', { entries: [{ ...blob, size: 5_000 }] }],
  ['an object that says it has a petabyte', { entries: [{ ...blob, size: 2 ** 50 }] }],
  ['an object of type 0', { entries: [{ ...blob, kind: 0 }] }],
  ['an object of type 5', { entries: [{ ...blob, kind: 5 }] }],
  ['bytes that do not inflate', { entries: [{ ...blob, deflated: Buffer.from('no zlib at all') }] }],
  ['a wrong checksum', { entries: [blob], sum: Buffer.alloc(20) }],
  ['version 99', { version: 99, entries: [blob] }],
]
for (const [what, wish] of packs) {
  // What sends the reader round in circles is ended when its time is up.
  const limits = what === 'a delta from itself' ? { operationMs: 15_000 } : undefined
  row(`a pack with ${what}`, async () => words(await lie(instead(packBytes(wish)), limits)))
}

row('a pack with another tree under the commit', async () => {
  const commit = Buffer.from(`tree ${'1'.repeat(40)}\nauthor A <a@b> 1 +0000\ncommitter A <a@b> 1 +0000\n\nx\n`)
  const id = createHash('sha1').update(`commit ${commit.length}\0`).update(commit).digest('hex')
  const pack = packBytes({ entries: [{ kind: KINDS.commit, content: commit }] })
  return words(
    await lie((_path, body) => {
      if (body.includes('PACK')) return fetchAnswer(pack)
      return Buffer.from(body.toString('latin1').replaceAll(served.head(), id), 'latin1')
    }),
  )
})

row(
  'random bytes instead of a pack',
  async () => {
    const count = runs(3, 15)
    const kinds = new Set<string>()
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 2_000 }), async (bytes) => {
        kinds.add((await lie(instead(Buffer.concat([Buffer.from('PACK'), bytes])))).kind)
      }),
      { numRuns: count },
    )
    return `${count} lies: ${[...kinds].join(', ')}`
  },
  600_000,
)

row(
  'a real pack with one byte changed',
  async () => {
    const count = runs(3, 15)
    const kinds = new Set<string>()
    await fc.assert(
      fc.asyncProperty(fc.nat(), fc.integer({ min: 1, max: 255 }), async (place, by) => {
        const fault = await lie((_path, body) => {
          const start = body.indexOf('PACK')
          if (start < 0) return body
          const changed = Buffer.from(body)
          // Behind the frame of the first packet, before the end.
          const at = start + (place % (changed.length - start - 8))
          changed[at] = (changed[at] ?? 0) ^ by
          return changed
        })
        kinds.add(fault.kind)
      }),
      { numRuns: count },
    )
    return `${count} lies: ${[...kinds].join(', ')}`
  },
  600_000,
)

row(
  '2 GB of zeros that say they are ten bytes',
  async () => {
    const pack = packBytes({ entries: [{ kind: KINDS.blob, size: 10, deflated: zerosDeflated(2048 * M) }] })
    const fault = await lie(instead(pack), { memoryBytes: 256 * M })
    return `${words(fault)} (${Math.round(pack.length / 1024)} kB on the wire)`
  },
  180_000,
)

longRow(
  '2 GB of zeros that say so, as a blob and as a tree',
  async () => {
    const deflated = zerosDeflated(2048 * M)
    const said: string[] = []
    for (const kind of [KINDS.blob, KINDS.tree, KINDS.commit]) {
      const fault = await lie(instead(packBytes({ entries: [{ kind, size: 2048 * M, deflated }] })), {
        memoryBytes: 256 * M,
        operationMs: 300_000,
      })
      expect(fault.kind).toBe('too-large')
      expect(fault.remedy).toContain('limits.git_memory')
      said.push(fault.kind)
    }
    return said.join(', ')
  },
  600_000,
)

row('an answer above the limit', async () => {
  const fault = await lie(instead(packBytes({ entries: [{ kind: KINDS.blob, content: randomBytes(3 * M) }] })), {
    responseBytes: M,
  })
  expect(fault.remedy).toContain('limits.git_answer')
  return words(fault)
})

row('words of the server without end', async () => {
  const chatter = Array.from({ length: 3_000 }, () => band(2, Buffer.alloc(1_000, 'x')))
  return words(await lie(instead(packBytes({ entries: [blob] }), chatter), { responseBytes: M }))
})

row('an error of the server with signs that steer a terminal', async () => {
  const fault = await lie(
    instead(packBytes({ entries: [blob] }), [band(3, Buffer.from('\u001B[2J\u001B]0;owned\u0007no'))]),
  )
  return words(fault)
})

row(
  'a list of 300,000 refs',
  async () => {
    const repository = await open()
    const before = await repository.refresh()
    const own = residentBytes()
    rewrite = (path, body) => {
      if (!path.includes('upload-pack') || body.includes('PACK')) return body
      const text = body.toString('latin1')
      const line = (at: number) =>
        packet(Buffer.from(`${at.toString(16).padStart(40, '0')} refs/heads/b${at}\n`)).toString('latin1')
      const many = Array.from({ length: 300_000 }, (_, at) => line(at)).join('')
      return Buffer.from(
        text.endsWith('0000') && /refs\/heads\/main/.test(text) ? `${text.slice(0, -4)}${many}0000` : text,
        'latin1',
      )
    }
    const begun = performance.now()
    const after = await repository.refresh()
    rewrite = null
    expect(after.commit.id).toBe(before.commit.id)
    expect(residentBytes() - own).toBeLessThan(300 * M)
    const took = Math.round(performance.now() - begun)
    await repository.close()
    return `read in ${took} ms`
  },
  180_000,
)

row('refs with names that lead out of the repository', async () => {
  const repository = await open()
  const names = [
    'refs/heads/../../../etc/x',
    'refs/heads/..',
    '../x',
    '/etc/passwd',
    'refs/heads/a\\b',
    'refs/heads/-rf',
    'refs/heads/$(id)',
  ]
  rewrite = (path, body) => {
    if (!path.includes('upload-pack') || body.includes('PACK')) return body
    const text = body.toString('latin1')
    const id = served.head()
    const more = names.map((name) => packet(Buffer.from(`${id} ${name}\n`)).toString('latin1')).join('')
    return Buffer.from(
      text.endsWith('0000') && /refs\/heads\/main/.test(text) ? `${text.slice(0, -4)}${more}0000` : text,
      'latin1',
    )
  }
  const { commit } = await repository.refresh()
  rewrite = null
  expect(commit.id).toBe(served.head())
  await repository.close()
  return 'not looked at; the branch is read'
})

row(
  'nothing but HTML, and other things that are no Git',
  async () => {
    const said = new Set<string>()
    for (const body of [
      '<html>log in</html>',
      '',
      '0000',
      '001e# service=git-upload-pack\n',
      'zzzz',
      'fffe',
      '0003',
      '\0'.repeat(5_000),
    ]) {
      const fault = await lie((path, whole) =>
        path.includes('info/refs') || path.includes('upload-pack') ? Buffer.from(body) : whole,
      )
      said.add(words(fault))
    }
    return [...said].join('; ').slice(0, 200)
  },
  300_000,
)

function residentBytes(): number {
  return Number(readFileSync('/proc/self/statm', 'utf8').split(' ')[1]) * 4096
}
