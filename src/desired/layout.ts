// What each file of a snapshot is by its place alone: the deployment, a set, perhaps a leaf, or content. Pure.
//
// A folder with a set.yaml is a set. A NAME.yaml in a set's folder or at the root is a leaf, unless a leaf mounts it
// and it has no `generation:` of its own: then it is content (read.ts decides, because it takes the leaves to know).
// In a folder without set.yaml everything is content. Names that start with a dot are nobody's business.

import type { Snapshot, SnapshotEntry } from '../repository/snapshot.ts'
import { nearest } from './nearest.ts'
import type { Problem } from './problem.ts'
import { wholeFile } from './yaml-document.ts'

export interface Layout {
  readonly deployment: SnapshotEntry | null
  /** Outer sets before inner ones. */
  readonly sets: readonly SetFolder[]
  /** In the order of their paths. */
  readonly candidates: readonly Candidate[]
  /** YAML files in folders without set.yaml: content, or a leaf whose set.yaml was forgotten. */
  readonly strays: readonly SnapshotEntry[]
  /** Names that are wrong unless a leaf mounts the file. */
  readonly misnamed: readonly { readonly path: string; readonly problem: Problem }[]
  readonly problems: readonly Problem[]
}

export interface SetFolder {
  readonly path: string
  readonly entry: SnapshotEntry
  /** Path of the nearest set above; '' for the root. */
  readonly parent: string
}

export interface Candidate {
  readonly entry: SnapshotEntry
  /** The leaf's name: the file's name without `.yaml`. */
  readonly name: string
  /** Path of the set. */
  readonly set: string
}

export function layoutOf(snapshot: Snapshot): Layout {
  const problems: Problem[] = (snapshot.refused ?? []).map(({ path, why }) =>
    wholeFile({ path }, `${JSON.stringify(path)} was not read: ${why}`, 'rename it, or remove it from the repository'),
  )
  const yaml: SnapshotEntry[] = []
  const folders = new Map<string, SnapshotEntry>()
  for (const entry of inOrder(snapshot.entries)) {
    const { path } = entry
    if (!path.endsWith('.yaml') && !path.endsWith('.yml')) continue
    if (path.startsWith('.') || path.includes('/.')) continue
    yaml.push(entry)
    if (path.endsWith('/set.yaml')) folders.set(path.slice(0, -'/set.yaml'.length), entry)
  }
  const candidates: Candidate[] = []
  const strays: SnapshotEntry[] = []
  const misnamed: { path: string; problem: Problem }[] = []
  for (const entry of yaml) {
    const slash = entry.path.lastIndexOf('/')
    const folder = slash < 0 ? '' : entry.path.slice(0, slash)
    const file = entry.path.slice(slash + 1)
    const isSet = folder === '' || folders.has(folder)
    if (!isSet && !RESERVED.has(file)) {
      if (file.endsWith('.yaml')) strays.push(entry)
      continue
    }
    const problem = misplacedName(entry, folder, file)
    if (problem !== null) misnamed.push({ path: entry.path, problem })
    else if (isSet && file !== 'set.yaml' && file !== 'deployment.yaml') {
      candidates.push({ entry, name: file.slice(0, -'.yaml'.length), set: folder })
    }
  }
  const sets = [...folders].map(([path, entry]) => ({ path, entry, parent: parentOf(path, folders) }))
  // A parent's path is a prefix of its sets' paths, so this puts it first.
  sets.sort((a, b) => (a.path < b.path ? -1 : 1))
  return { deployment: snapshot.entries.get('deployment.yaml') ?? null, sets, candidates, strays, misnamed, problems }
}

/** As a shell takes it for one word. */
function forShell(text: string): string {
  return /^[\p{L}\p{N}._/@%+=:,-]+$/u.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`
}

/** Why there is no deployment here: nothing at all, or no deployment.yaml at the top. */
export function noDeployment(snapshot: Snapshot): Problem {
  const nowhere = { file: null, line: null, column: null, text: null, leaf: null, severity: 'unreadable' } as const
  const remedy = 'add deployment.yaml with `name:` and `format: 1`, or point graft at the folder that has it (--path)'
  if (snapshot.entries.size === 0)
    return { ...nowhere, message: 'the tree is empty: there is no deployment.yaml', remedy }
  const elsewhere = [...snapshot.entries.keys()].find((path) => path.endsWith('/deployment.yaml'))
  if (elsewhere !== undefined) {
    const folder = elsewhere.slice(0, -'/deployment.yaml'.length)
    return {
      ...nowhere,
      message: `there is no deployment.yaml at the top, but one in ${folder}`,
      remedy: `use --path ${forShell(folder)}`,
    }
  }
  const top = [...snapshot.entries.keys()].filter((path) => !path.includes('/'))
  const close = nearest('deployment.yaml', top)
  return {
    ...nowhere,
    message: 'there is no deployment.yaml at the top of the deployment',
    remedy: close === null ? remedy : `rename ${close} to deployment.yaml`,
  }
}

const RESERVED: ReadonlySet<string> = new Set(['set.yaml', 'deployment.yaml', 'set.yml', 'deployment.yml'])

function misplacedName(entry: SnapshotEntry, folder: string, file: string): Problem | null {
  if (file.endsWith('.yml')) {
    const right = `${file.slice(0, -'.yml'.length)}.yaml`
    return wholeFile(entry, `${entry.path} ends in .yml, and graft reads .yaml`, `rename it to ${right}`)
  }
  if (file === 'set.yaml' && folder === '') {
    const remedy = 'write what it says into deployment.yaml, which is the set of the root'
    return wholeFile(entry, 'the root has no set.yaml', remedy)
  }
  if (file === 'deployment.yaml' && folder !== '') {
    const remedy = 'one folder is one deployment: rename it to set.yaml, or use --path for the other deployment'
    return wholeFile(entry, 'a second deployment.yaml lies inside the deployment', remedy)
  }
  return null
}

function parentOf(path: string, folders: ReadonlyMap<string, unknown>): string {
  for (let slash = path.lastIndexOf('/'); slash > 0; slash = path.lastIndexOf('/', slash - 1)) {
    const above = path.slice(0, slash)
    if (folders.has(above)) return above
  }
  return ''
}

/** By path, in code-unit order. Snapshots mostly come sorted, so that is asked first. */
function inOrder(entries: ReadonlyMap<string, SnapshotEntry>): readonly SnapshotEntry[] {
  const list = [...entries.values()]
  let sorted = true
  for (let index = 1; index < list.length && sorted; index++) {
    sorted = (list[index - 1]?.path ?? '') < (list[index]?.path ?? '')
  }
  return sorted ? list : list.sort((a, b) => (a.path < b.path ? -1 : 1))
}
