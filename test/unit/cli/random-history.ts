// Histories of a small deployment made of random wishes, for property tests.

import { posix } from 'node:path'

import { Mistake, Problems } from '../../../src/cli/mistakes.ts'
import { commitBack, leafBack, setBack, type Back, type Ground } from '../../../src/cli/revert-back.ts'
import { makeRevert, type Revert } from '../../../src/cli/revert-make.ts'
import { createHistoryIndex, type HistoryIndex } from '../../../src/daemon/history-index.ts'
import { knownNodes, nodeNamed } from '../../../src/daemon/node-history.ts'
import { isMisnamed } from '../../../src/daemon/named-set.ts'
import { settleAgainst } from '../../../src/daemon/settle.ts'
import { editedSnapshot } from '../../../src/desired/edited-snapshot.ts'
import { createReader, type Reader } from '../../../src/desired/read.ts'
import type { Settlement } from '../../../src/desired/settle-generations.ts'
import type { Leaf, Tree } from '../../../src/desired/tree.ts'
import type { FileChange } from '../../../src/repository/repository.ts'
import type { Snapshot } from '../../../src/repository/snapshot.ts'
import { memoryRepository, type MemoryRepository } from './memory-repository.ts'
import type { EDITS, Wish } from './random-wishes.ts'

export const FILES = {
  'deployment.yaml': 'name: shop\nformat: 1\nvariables: {level: "1"}\n',
  'db.yaml': '# the base\nimage: docker.io/x/db:1\nenvironment: {LEVEL: "${level}"}\ngeneration: 1\n',
  'web/set.yaml': 'version: "1" # of all\n',
  'web/api.yaml': 'generation: 3   # counts\nimage: docker.io/x/api:${version}\nprune: true\n',
  'web/page.yaml':
    'generation: 1\r\nimage: "docker.io/x/page:1"\r\nfiles: {/etc/page.conf: ./page.conf, /etc/both: ../both.conf}\r\n',
  'web/page.conf': '1\n',
  'both.conf': '1\n',
  'web/inner/set.yaml': 'defaults:\n  environment: {SHARED: "1"}\n',
  'web/inner/job.yaml': 'kind: job\ngeneration: 2\nimage: docker.io/x/job:${version}\nenv_file: ./job.env\n',
  'web/inner/job.env': 'A=1\n',
}
const SETS = ['', 'web/', 'web/inner/']

export interface Story {
  readonly repository: MemoryRepository
  /** Grown commit by commit. */
  readonly index: HistoryIndex
  readonly reader: Reader
  /** Tips of branches that are not merged yet. */
  readonly branches: string[]
}

export function beginStory(): Story {
  const repository = memoryRepository(FILES)
  return {
    repository,
    index: createHistoryIndex(repository, createReader(), null),
    reader: createReader(),
    branches: [],
  }
}

/** Does what is wished where that can be done, commit by commit; the index follows each. */
export async function tell(history: readonly Wish[]): Promise<Story> {
  const story = beginStory()
  await follow(story)
  for (const wish of history) {
    await fulfil(story, wish)
    await follow(story)
  }
  return story
}

export const tipOf = ({ repository }: Story): string => repository.tip().commit?.id ?? ''

async function follow(story: Story): Promise<void> {
  await story.index.at(tipOf(story))
}

async function fulfil(story: Story, wish: Wish): Promise<void> {
  const { repository, branches } = story
  const tip = repository.tip()
  switch (wish.do) {
    case 'edit':
      // Somebody corrects what does not read.
      if (treeAt(story, tipOf(story)) === null) return keep(story, corrected(tip), 'correct')
      return keep(story, await editOf(story, tip, wish), `edit ${wish.what}`)
    case 'branch': {
      const onto = lineOf(story)[wish.back]
      if (onto === undefined) return
      const changes = await editOf(story, repository.at(onto), { ...wish, number: 'settled' })
      if (changes.length > 0) branches.push(repository.commit(changes, `branch ${wish.what}`, onto).commit?.id ?? '')
      return
    }
    case 'merge': {
      const [other] = branches.splice(wish.which % Math.max(1, branches.length), 1)
      if (other !== undefined) repository.merge(other)
      return
    }
    case 'revert':
    case 'revert leaf':
    case 'revert set': {
      const revert = await revertWished(story, wish)
      return keep(story, revert?.changes ?? [], wish.do)
    }
    default:
      return keep(story, reshape(story, tip, wish), wish.do)
  }
}

function corrected(snapshot: Snapshot): FileChange[] {
  return [...snapshot.entries.keys()].flatMap((path) => {
    const text = textAt(snapshot, path) ?? ''
    return text.includes('nonsense') ? [{ path, content: Buffer.from(text.replaceAll('nonsense: 1\n', '')) }] : []
  })
}

function keep({ repository }: Story, changes: readonly FileChange[], subject: string): void {
  if (changes.length > 0) repository.commit(changes, subject)
}

/** Ids of the first parents, newest first. */
export function lineOf({ repository }: Story): string[] {
  const ids: string[] = []
  for (let id: string | undefined = repository.tip().commit?.id; id !== undefined;) {
    ids.push(id)
    id = repository.at(id).commit?.parents[0]
  }
  return ids
}

export function treeAt({ reader, repository }: Story, commit: string): Tree | null {
  return reader.read(repository.at(commit), { host: null }).tree
}

/** The n-th leaf, turning; undefined where nothing reads. */
function leafOf(story: Pick<Story, 'reader'>, snapshot: Snapshot, who: number): Leaf | undefined {
  const leaves = [...(story.reader.read(snapshot, { host: null }).tree?.leaves.values() ?? [])]
  return leaves[who % Math.max(1, leaves.length)]
}

interface Edited {
  readonly what: (typeof EDITS)[number]
  readonly who: number
  readonly to: number
  readonly number: 'settled' | 'forgotten' | 'wild'
}

async function editOf(story: Story, snapshot: Snapshot, wish: Edited): Promise<readonly FileChange[]> {
  const changes = handEdit(story, snapshot, wish)
  if (wish.number !== 'settled' || changes.length === 0) return changes
  const { tree, changes: numbers } = await settle(story, editedSnapshot(snapshot, changes), snapshot.commit?.id ?? null)
  return tree === null ? changes : merged(changes, numbers)
}

export function settle(story: Story, snapshot: Snapshot, base: string | null): Promise<Settlement> {
  return settleAgainst({ repository: story.repository, history: story.index }, snapshot, base, { reader: story.reader })
}

export function merged(changes: readonly FileChange[], later: readonly FileChange[]): FileChange[] {
  return [...new Map([...changes, ...later].map((change) => [change.path, change])).values()]
}

/** As a person would, in the text. Nothing where that text is not there. */
export function handEdit(
  story: Pick<Story, 'reader'>,
  snapshot: Snapshot,
  { what, who, to, number }: Edited,
): readonly FileChange[] {
  const change = (path: string, edit: (text: string) => string): readonly FileChange[] => {
    const text = textAt(snapshot, path)
    if (text === null) return []
    const edited = edit(text)
    return edited === text ? [] : [{ path, content: Buffer.from(edited) }]
  }
  switch (what) {
    case 'version':
      return change('web/set.yaml', (text) => text.replace(/version: "\d"/, `version: "${to}"`))
    case 'level':
      return change('deployment.yaml', (text) => text.replace(/level: "\d"/, `level: "${to}"`))
    case 'default':
      return change('web/inner/set.yaml', (text) => text.replace(/SHARED: "\d"/, `SHARED: "${to}"`))
    case 'page.conf':
      return change('web/page.conf', () => `${to}\n`)
    case 'both.conf':
      return change('both.conf', () => `${to}\n`)
    case 'job.env':
      return change('web/inner/job.env', () => `A=${to}\n`)
    default: {
      const leaf = leafOf(story, snapshot, who)
      if (leaf === undefined) return []
      return change(leaf.file, (text) => {
        const renumbered = number === 'wild' ? text.replace(/^generation: \d+/m, `generation: ${to * 2}`) : text
        if (what === 'image') return renumbered.replace(/^(image: "?[^:]+:)[^\s"]*/m, `$1${to}`)
        if (what === 'prune') return renumbered.replace(/^prune: \w+\n/m, '') + (to > 2 ? 'prune: false\n' : '')
        if (what === 'environment') return renumbered.replace(/^read_only: \w+\n/m, '') + `read_only: ${to > 2}\n`
        return `# ${to}\n${renumbered}`
      })
    }
  }
}

type Reshaping = Extract<Wish, { readonly do: 'add' | 'delete' | 'move' | 'rename' | 'break' }>

function reshape(story: Story, snapshot: Snapshot, wish: Reshaping): readonly FileChange[] {
  if (wish.do === 'add') {
    const path = `${SETS[wish.set] ?? ''}new-${wish.who}.yaml`
    return [{ path, content: Buffer.from(`image: docker.io/x/new:${wish.to}\ngeneration: ${wish.to}\n`) }]
  }
  const leaf = leafOf(story, snapshot, wish.who)
  const text = leaf === undefined ? null : textAt(snapshot, leaf.file)
  if (leaf === undefined || text === null) return []
  const gone = { path: leaf.file, content: null }
  switch (wish.do) {
    case 'delete':
      return [gone]
    case 'break':
      return [{ path: leaf.file, content: Buffer.from(`${text}nonsense: 1\n`) }]
    case 'move': {
      const path = `${SETS[wish.set] ?? ''}${leaf.name}.yaml`
      const [from, to] = [posix.dirname(leaf.file), posix.dirname(path)]
      const moved = text.replace(/\.\.?\/[\w./]+/g, (source) => posix.relative(to, posix.join(from, source)))
      return path === leaf.file ? [] : [gone, { path, content: Buffer.from(moved) }]
    }
    case 'rename': {
      const path = leaf.file.replace(/[^/]+$/, `other-${wish.to}.yaml`)
      const named = `${text.replace(/^renamed_from: .*\n/m, '')}renamed_from: ${leaf.name}\n`
      return path === leaf.file || snapshot.entries.has(path) ? [] : [gone, { path, content: Buffer.from(named) }]
    }
  }
}

export type RevertWish = Extract<Wish, { readonly do: 'revert' | 'revert leaf' | 'revert set' }>

/** What `graft revert` makes of it; null where it refuses in words. Anything else that is thrown is a defect. */
export async function revertWished(story: Story, wish: RevertWish): Promise<Revert | null> {
  try {
    const ground = await groundOf(story)
    const back = await backWished(story, ground, wish)
    return back === null ? null : await makeRevert(ground, back)
  } catch (error) {
    if (error instanceof Mistake || error instanceof Problems) return null
    throw error
  }
}

export async function groundOf({ repository, index, reader }: Story): Promise<Ground> {
  const snapshot = repository.tip()
  const tip = await repository.resolve(snapshot.commit?.id ?? '')
  return {
    deployment: { repository, history: index, settings: {} },
    reader,
    tip,
    snapshot,
    tree: reader.read(snapshot, { host: null }).tree,
    line: await index.along(tip.id),
  }
}

async function backWished(story: Story, ground: Ground, wish: RevertWish): Promise<Back | null> {
  const { repository } = story
  const line = lineOf(story)
  if (wish.do === 'revert') {
    const all = (await repository.ancestors(tipOf(story))).commits
    const commit = all[wish.back % all.length]
    return commit === undefined ? null : commitBack(commit, ground)
  }
  const known = knownNodes(ground.line)
  const names = wish.do === 'revert leaf' ? [...known.leaves.keys()].toSorted() : ['.', 'web', 'web/inner']
  const node = nodeNamed(known, names[(wish.do === 'revert leaf' ? wish.who : wish.set) % names.length])
  if (isMisnamed(node)) throw new Error(node.message)
  if (wish.do === 'revert leaf')
    return leafBack(node, wish.generation === null ? undefined : `${wish.generation}`, ground)
  return setBack(node, wish.back === null ? undefined : line[wish.back % line.length], ground)
}

export function textAt({ entries }: Snapshot, path: string): string | null {
  const content = entries.get(path)?.content ?? null
  return content === null ? null : Buffer.from(content).toString('utf8')
}
