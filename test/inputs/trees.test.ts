// Repositories that were made to hurt whoever reads them: names that lead elsewhere, twins, bombs of folders, links,
// commits without sense. They are made with Git's own plumbing, which takes anything.

import { writeFileSync } from 'node:fs'

import { afterAll, beforeAll, expect } from 'vitest'

import { createReader } from '../../src/desired/read.ts'
import { openRepository } from '../../src/repository/open.ts'
import { RepositoryFault } from '../../src/repository/repository.ts'
import type { Snapshot } from '../../src/repository/snapshot.ts'
import { makeRepository, openSandbox, type Sandbox } from '../unit/repository/git-sandbox.ts'
import { inputTable } from './input-table.ts'
import { readSafely } from './read-files.ts'

const { row, longRow } = inputTable('Trees and commits', { share: 0.2 })

let sandbox: Sandbox
let root = ''
let leaf = ''

beforeAll(() => {
  sandbox = openSandbox()
  makeRepository(sandbox, 'repo')
  root = blob('name: site\nformat: 1\n')
  leaf = blob('generation: 1\nimage: nginx\n')
})
afterAll(() => sandbox.remove())

function store(type: string, content: string | Uint8Array): string {
  return sandbox.gitWithInput('repo', content, 'hash-object', '-w', '--stdin', '--literally', '-t', type)
}
const blob = (content: string): string => store('blob', content)

type Entry = readonly [mode: string, name: string | Uint8Array, oid: string]

function tree(entries: readonly Entry[]): string {
  const parts = entries.flatMap(([mode, name, oid]) => [
    Buffer.from(`${mode} `),
    Buffer.from(name),
    Buffer.from([0]),
    Buffer.from(oid, 'hex'),
  ])
  return store('tree', Buffer.concat(parts))
}

const site = (entries: readonly Entry[]): Entry[] => [['100644', 'deployment.yaml', root], ...entries]

function commitOf(
  treeId: string,
  more: { parents?: string[]; message?: string; author?: string; time?: string } = {},
): string {
  const { parents = [], message = 'x', author = 'A <a@b>', time = '1700000000' } = more
  const lines = [
    `tree ${treeId}`,
    ...parents.map((id) => `parent ${id}`),
    `author ${author} ${time} +0000`,
    `committer ${author} ${time} +0000`,
  ]
  return store('commit', `${lines.join('\n')}\n\n${message}\n`)
}

async function snapshotOf(commit: string, limits = {}): Promise<Snapshot> {
  // Git itself would refuse some of them.
  writeFileSync(sandbox.path('repo', '.git/refs/heads/main'), `${commit}\n`)
  const repository = await openRepository({ repo: sandbox.path('repo'), cache: sandbox.path('cache'), limits })
  try {
    const tip = await repository.refresh()
    return await repository.snapshot(tip.commit.id)
  } finally {
    await repository.close()
  }
}

async function faultOf(commit: string, limits = {}): Promise<RepositoryFault> {
  const fault = await snapshotOf(commit, limits).then(
    () => null,
    (error: unknown) => error,
  )
  if (!(fault instanceof RepositoryFault)) throw fault ?? new Error('it was read')
  expect(fault.remedy).not.toBe('')
  return fault
}

const NAMES: readonly (readonly [string, string | Uint8Array])[] = [
  ['..', '..'],
  ['.', '.'],
  ['nothing', ''],
  ['.git', '.git'],
  ['.GIT in capitals', '.GiT'],
  ['a backslash', 'a\\..\\b'],
  ['a slash', '../../etc/passwd'],
  ['an absolute path', '/etc/passwd'],
  ['a line end', 'a\nb.yaml'],
  ['an escape of a terminal', 'a\u001B[2Jb.yaml'],
  ['a C1 control', 'a\u009B2Jb.yaml'],
  ['no UTF-8', Buffer.from([0x61, 0xff, 0xfe])],
  ['300 bytes', 'a'.repeat(300)],
]
for (const [what, name] of NAMES) {
  for (const mode of ['100644', '40000'] as const) {
    row(`a ${mode === '40000' ? 'folder' : 'file'} named ${what}`, async () => {
      const target = mode === '40000' ? tree([['100644', 'web.yaml', leaf]]) : leaf
      const snapshot = await snapshotOf(commitOf(tree(site([[mode, name, target]]))))
      expect([...snapshot.entries.keys()]).toEqual(['deployment.yaml'])
      expect(snapshot.refused).toHaveLength(1)
      const { tree: read } = readSafely(snapshot)
      expect(read).toBeNull()
      return JSON.stringify(snapshot.refused?.[0]?.why)
    })
  }
}

row('a name twice in one tree, as two files and as file and folder', async () => {
  const other = blob('generation: 1\nimage: evil\n')
  const folder = tree([['100644', 'x', leaf]])
  for (const second of [['100644', 'web.yaml', other] as const, ['40000', 'web.yaml', folder] as const]) {
    const snapshot = await snapshotOf(commitOf(tree(site([['100644', 'web.yaml', leaf], second]))))
    expect([...snapshot.entries.keys()]).toEqual(['deployment.yaml'])
    expect(readSafely(snapshot).tree).toBeNull()
  }
  const { refused } = await snapshotOf(
    commitOf(
      tree(
        site([
          ['100644', 'web.yaml', leaf],
          ['100644', 'web.yaml', other],
        ]),
      ),
    ),
  )
  return refused?.[0]?.why ?? ''
})

for (const [what, mode] of [
  ['that is a device', '60000'],
  ['of mode 0', '0'],
  ['that is a link', '120000'],
  ['that is a submodule', '160000'],
] as const) {
  row(`a leaf ${what}`, async () => {
    const { tree: read, problems } = readSafely(await snapshotOf(commitOf(tree(site([[mode, 'web.yaml', leaf]])))))
    expect(read).toBeNull()
    return problems[0]?.message ?? ''
  })
}

row('deployment.yaml and set.yaml as links to /etc/shadow', async () => {
  const link = blob('/etc/shadow')
  const entries: Entry[] = [
    ['120000', 'deployment.yaml', link],
    [
      '40000',
      'a',
      tree([
        ['120000', 'set.yaml', link],
        ['100644', 'web.yaml', leaf],
      ]),
    ],
  ]
  const { tree: read, problems } = readSafely(await snapshotOf(commitOf(tree(entries))))
  expect(read).toBeNull()
  return problems.map(({ message }) => message).join('; ')
})

row('names that differ by case, by composition, by a hidden sign', async () => {
  const twins = [
    'web.yaml',
    'Web.yaml',
    'caf\u00E9.yaml',
    'cafe\u0301.yaml',
    'we\u200Bb.yaml',
    '\u202Ebew.yaml',
    'w\u0435b.yaml',
  ]
  const entries = twins.map((name): Entry => ['100644', name, leaf])
  const snapshot = await snapshotOf(commitOf(tree(site(entries))))
  expect(snapshot.entries.size).toBe(twins.length + 1)
  const { tree: read, problems } = readSafely(snapshot)
  expect(read).toBeNull()
  // Each but the plain one is told.
  const files = problems.map(({ file }) => file)
  for (const twin of twins.slice(1)) expect(files).toContain(twin)
  return problems[0]?.message ?? ''
})

row('names of methods as files and folders', async () => {
  const names = ['__proto__', 'constructor', 'toString', 'hasOwnProperty']
  const set = blob('description: x\n')
  const entries = names.flatMap((name): Entry[] => [
    ['100644', `${name}.yaml`, leaf],
    [
      '40000',
      name,
      tree([
        ['100644', 'set.yaml', set],
        ['100644', `${name.toLowerCase()}x.yaml`, leaf],
      ]),
    ],
  ])
  const { problems } = readSafely(await snapshotOf(commitOf(tree(site(entries)))))
  return `${problems.length} problems, in words: ${problems[0]?.message ?? ''}`
})

row('folders 60 deep', async () => {
  let folder = tree([['100644', 'web.yaml', leaf]])
  for (let depth = 0; depth < 60; depth++) folder = tree([['40000', 'a', folder]])
  const snapshot = await snapshotOf(commitOf(tree(site([['40000', 'a', folder]]))))
  return snapshot.refused?.[0]?.why ?? ''
})

/** A tree of ten entries that are all the same tree, so many levels deep. */
function bomb(inner: string, levels: number): string {
  let folder = inner
  for (let level = 0; level < levels; level++) {
    folder = tree(Array.from({ length: 10 }, (_, at): Entry => ['40000', `d${at}`, folder]))
  }
  return folder
}

row('ten billion files in twelve trees', async () => {
  const fault = await faultOf(commitOf(bomb(tree([['100644', 'f', leaf]]), 10)))
  expect(fault.remedy).toContain('limits.files')
  return `${fault.kind}: ${fault.message}`
})

row('ten billion empty folders in eleven trees', async () => {
  const fault = await faultOf(commitOf(tree(site([['40000', 'a', bomb(tree([]), 10)]]))))
  expect(fault.remedy).toContain('limits.files')
  return `${fault.kind}: ${fault.message}`
})

row('ten billion names that are refused', async () => {
  const fault = await faultOf(
    commitOf(
      bomb(
        tree([
          ['100644', '..', leaf],
          ['100644', '.git', leaf],
        ]),
        10,
      ),
    ),
  )
  return `${fault.kind}: ${fault.message}`
})

row('100,000 files in one folder', async () => {
  const fault = await faultOf(
    commitOf(tree(Array.from({ length: 100_000 }, (_, at): Entry => ['100644', `f${at}`, leaf]))),
  )
  return `${fault.kind}: ${fault.message}`
})

row('300 files of a megabyte', async () => {
  const big = blob('x'.repeat(1024 ** 2))
  const fault = await faultOf(commitOf(tree(Array.from({ length: 300 }, (_, at): Entry => ['100644', `f${at}`, big]))))
  expect(fault.remedy).toContain('limits.contents')
  return `${fault.kind}: ${fault.message}`
})

row('20,000 leaves', async () => {
  const entries = Array.from({ length: 20_000 }, (_, at): Entry => ['100644', `l${at}.yaml`, leaf])
  const { problems, milliseconds } = readSafely(await snapshotOf(commitOf(tree(site(entries)))))
  expect(problems[0]?.remedy).toContain('limits.leaves')
  return `${problems[0]?.message ?? ''} (${Math.round(milliseconds)} ms)`
})

row('20,000 sets', async () => {
  const empty = tree([['100644', 'set.yaml', blob('description: x\n')]])
  const entries = Array.from({ length: 20_000 }, (_, at): Entry => ['40000', `s${at}`, empty])
  const { problems, milliseconds } = readSafely(await snapshotOf(commitOf(tree(site(entries)))))
  expect(problems[0]?.remedy).toContain('limits.sets')
  return `${problems[0]?.message ?? ''} (${Math.round(milliseconds)} ms)`
})

row('200 YAML files of the largest size, each with a hundred thousand mistakes', async () => {
  const bad = blob(`a: [${','.repeat(250_000)}]`)
  const entries = Array.from({ length: 200 }, (_, at): Entry => ['100644', `l${at}.yaml`, bad])
  const { problems, milliseconds } = readSafely(await snapshotOf(commitOf(tree(site(entries)))))
  expect(problems[0]?.remedy).toContain('limits.yaml_in_all')
  return `${problems[0]?.message ?? ''} (${Math.round(milliseconds)} ms)`
})

longRow(
  'the largest deployment that the limits let in: 10,000 leaves',
  async () => {
    const entries = Array.from({ length: 10_000 }, (_, at): Entry => ['100644', `l${at}.yaml`, leaf])
    const snapshot = await snapshotOf(commitOf(tree(site(entries))))
    const { tree: read, milliseconds } = readSafely(snapshot, 30_000)
    expect(read?.leaves.size).toBe(10_000)
    const reader = createReader()
    reader.read(snapshot, { host: null })
    return `read in ${Math.round(milliseconds)} ms`
  },
  300_000,
)

row('a message of 20 MB and a name of 1 MB with escapes', async () => {
  const author = `\u001B[2J${'A'.repeat(1024 ** 2)} <a@b>`
  const { commit } = await snapshotOf(commitOf(tree(site([])), { message: 'm'.repeat(20 * 1024 ** 2), author }))
  expect(commit?.subject).toHaveLength(1_000)
  expect(commit?.author.length).toBeLessThan(300)
  return 'the subject is cut to 1,000 characters, the name to 200'
})

row('times that are none: far future, negative, without digits', async () => {
  const times: number[] = []
  for (const time of ['99999999999999999999', '9007199254740993', '-1', 'x', '']) {
    const { commit } = await snapshotOf(commitOf(tree(site([])), { time }))
    times.push(commit?.time ?? NaN)
    expect(() => new Date(commit?.time ?? NaN).toISOString()).not.toThrow()
  }
  return `read as ${times.join(', ')}`
})

row('a commit with 50,000 parents that are not there', async () => {
  const parents = Array.from({ length: 50_000 }, (_, at) => (at + 1).toString(16).padStart(40, '0'))
  const { entries, commit } = await snapshotOf(commitOf(tree(site([])), { parents }))
  expect(commit?.parents).toHaveLength(50_000)
  return `its ${entries.size} file is read`
})

for (const [what, content] of [
  ['without a tree', 'author A <a@b> 1 +0000\n\nx\n'],
  ['that names a blob as its tree', () => `tree ${leaf}\nauthor A <a@b> 1 +0000\ncommitter A <a@b> 1 +0000\n\nx\n`],
  [
    'that names no tree that is there',
    `tree ${'2'.repeat(40)}\nauthor A <a@b> 1 +0000\ncommitter A <a@b> 1 +0000\n\nx\n`,
  ],
  [
    'whose parent is a path',
    () => `tree ${tree(site([]))}\nparent ../../../../etc/passwd\nauthor A <a@b> 1 +0000\n\nx\n`,
  ],
  ['of nothing', ''],
  ['of zeros', '\0'.repeat(1_000)],
] as const) {
  row(`a commit ${what}`, async () => {
    const fault = await faultOf(store('commit', typeof content === 'string' ? content : content()))
    return `${fault.kind}: ${fault.message}`
  })
}

for (const [what, bytes] of [
  ['that ends too early', Buffer.from('100644 web.yaml\0abc')],
  ['without a space', Buffer.from('100644web.yaml')],
  ['of zeros', Buffer.alloc(1_000)],
] as const) {
  row(`a tree ${what}`, async () => {
    const fault = await faultOf(commitOf(store('tree', bytes)))
    return `${fault.kind}: ${fault.message}`
  })
}

row('a chain of 30 tags as the branch', async () => {
  let id = commitOf(tree(site([])))
  let type = 'commit'
  for (let at = 0; at < 30; at++) {
    id = store('tag', `object ${id}\ntype ${type}\ntag t${at}\ntagger A <a@b> 1 +0000\n\nx\n`)
    type = 'tag'
  }
  const fault = await faultOf(id)
  return `${fault.kind}: ${fault.message}`
})
