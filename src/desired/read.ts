// From the files of a commit to the tree they declare, or to every problem they have. Pure in behaviour: the same
// snapshot and values give the same result; a reader only remembers what it made of entries it has seen before.

import { posix } from 'node:path'
import { inWords, orRaise } from '../repository/limits.ts'
import type { Snapshot, SnapshotEntry } from '../repository/snapshot.ts'
import { buildTree } from './build-tree.ts'
import { findClashes } from './clashes.ts'
import { findCycles } from './cycles.ts'
import { createDependencyMemory, resolveDependencies } from './dependencies.ts'
import { findNeeds } from './dependency-names.ts'
import { decodeText } from './entry-text.ts'
import { layoutOf, noDeployment } from './layout.ts'
import type { Layout } from './layout.ts'
import { compareProblems } from './problem.ts'
import type { Problem } from './problem.ts'
import { readChange, rememberReading } from './read-change.ts'
import type { EarlierReading } from './read-change.ts'
import { readDeployment } from './read-deployment.ts'
import type { RootContext } from './read-deployment.ts'
import { readLeaf } from './read-leaf.ts'
import type { ReadLeaf } from './read-leaf.ts'
import { DEFAULT_READ_LIMITS, type ReadLimits } from './read-limits.ts'
import { isMapping, readSet } from './set-context.ts'
import type { Reading, SetContext } from './set-context.ts'
import { setTree } from './set-tree.ts'
import type { Tree } from './tree.ts'
import { createLocate, readYaml, wholeFile } from './yaml-document.ts'
import type { YamlDocument } from './yaml-document.ts'

export interface HostValues {
  /** The host's own variables; null: not known here (a pull request), so the examples are used. */
  readonly host: ReadonlyMap<string, string> | null
}

export interface ReadResult {
  /** Null when any problem is `unreadable`. */
  readonly tree: Tree | null
  /** Sorted by compareProblems. */
  readonly problems: readonly Problem[]
}

export interface Reader {
  /**
   * Reads a snapshot. Entries, and through them leaves, that did not change since an earlier call cost next to nothing,
   * and a leaf that did not change is the very same Leaf object. Never throws for what stands in the files.
   */
  read(snapshot: Snapshot, values: HostValues): ReadResult
}

/** Problems that are told; the rest are counted. */
const TOLD = 1000

/** What is above the `limits` is a problem of the file or of the whole, which names the limit. */
export function createReader(limits: ReadLimits = DEFAULT_READ_LIMITS): Reader {
  const documents = new WeakMap<SnapshotEntry, YamlDocument>()
  const roots = new WeakMap<SnapshotEntry, { host: HostValues['host']; context: RootContext }>()
  const memory = createDependencyMemory()
  let lastRoot: { readonly host: HostValues['host']; readonly context: RootContext } | null = null
  let earlier: { readonly host: HostValues['host']; readonly reading: EarlierReading } | null = null

  const document = (entry: SnapshotEntry): YamlDocument => {
    const known = documents.get(entry)
    if (known !== undefined) return known
    const fresh = readYaml(entry, limits)
    documents.set(entry, fresh)
    return fresh
  }
  const rootOf = (entry: SnapshotEntry, host: HostValues['host'], reading: Reading): RootContext => {
    const known = roots.get(entry)
    if (known !== undefined && sameValues(known.host, host)) return known.context
    const before = lastRoot !== null && sameValues(lastRoot.host, host) ? lastRoot.context : null
    const context = readDeployment(entry, host, reading, before)
    lastRoot = { host: host === null ? null : new Map(host), context }
    roots.set(entry, { host: host === null ? null : new Map(host), context })
    return context
  }

  return {
    read(snapshot, { host }) {
      const reading: Reading = { snapshot, limits, locate: createLocate(), document }
      if (earlier !== null && sameValues(earlier.host, host) && (snapshot.refused ?? []).length === 0) {
        const next = readChange(earlier.reading, reading)
        if (next !== null) {
          earlier = { host: earlier.host, reading: next }
          return { tree: next.tree, problems: next.problems }
        }
      }
      const layout = layoutOf(snapshot)
      if (layout.deployment === null) return result(null, [noDeployment(snapshot), ...layout.problems])
      const crowd = tooMuch(layout, limits)
      if (crowd !== null) return result(null, [crowd])
      const root = rootOf(layout.deployment, host, reading)
      const contexts = readSets(layout, root, reading)
      const leaves = readLeaves(layout, contexts, reading)
      const mounted = mountedPaths(leaves, root)
      const content = (leaf: ReadLeaf): boolean =>
        leaf.document.generation === null && (mounted.has(leaf.document.entry.path) || isEncrypted(leaf.document.entry))
      const kept = leaves.some(content) ? leaves.filter((leaf) => !content(leaf)) : leaves

      const tree = setTree([...contexts.values()], withIngress(kept, root.ingressLeaf()))
      const needs = findNeeds(tree, reading)
      const dependencies = resolveDependencies(tree, needs, memory, reading)
      const problems = [
        ...layout.problems,
        ...layout.misnamed.flatMap(({ path, problem }) =>
          mounted.has(path) || isEncrypted(snapshot.entries.get(path)) ? [] : [problem],
        ),
        ...strayLeaves(layout, mounted),
        ...[...contexts.values()].flatMap((context) => context.problems),
        ...tree.list.flatMap((leaf) => leaf.problems),
        ...needs.problems,
        ...dependencies.problems,
        ...findCycles(tree, needs, reading),
        ...findClashes(tree, reading),
      ]
      const readable = !problems.some((problem) => problem.severity === 'unreadable')
      const built = result(readable ? buildTree(snapshot, root, tree, dependencies.of) : null, problems)
      if (built.tree !== null) {
        const copy = host === null ? null : new Map(host)
        earlier = { host: copy, reading: rememberReading(snapshot, built.tree, built.problems, kept) }
      }
      return built
    },
  }
}

/** Each set, each leaf and each byte of YAML costs time, and nothing else is done meanwhile. */
function tooMuch({ deployment, candidates, sets }: Layout, limits: ReadLimits): Problem | null {
  const problem = (message: string, remedy: string): Problem => ({
    file: null,
    line: null,
    column: null,
    text: null,
    leaf: null,
    severity: 'unreadable',
    message,
    remedy,
  })
  for (const [what, list] of [
    ['leaves', candidates],
    ['sets', sets],
  ] as const) {
    if (list.length <= limits[what]) continue
    const message = `the deployment holds more than ${limits[what].toLocaleString('en')} ${what}`
    return problem(message, `make more than one deployment of it, ${orRaise(what)}`)
  }
  // One that is too large by itself is not parsed, and told by itself.
  const parsed = ({ size }: SnapshotEntry): number => (size > limits.yamlBytes ? 0 : size)
  const above = deployment === null ? 0 : parsed(deployment)
  const bytes = [...candidates, ...sets].reduce((sum, { entry }) => sum + parsed(entry), above)
  if (bytes <= limits.yamlTotalBytes) return null
  const message = `the YAML files of the deployment are together larger than ${inWords(limits.yamlTotalBytes)}`
  return problem(message, `take large ones out of the sets’ folders, ${orRaise('yaml_in_all')}`)
}

function readSets(layout: Layout, root: RootContext, reading: Reading): Map<string, SetContext> {
  const contexts = new Map<string, SetContext>([['', root]])
  for (const { path, entry, parent } of layout.sets) {
    contexts.set(path, readSet(entry, path, contexts.get(parent) ?? root, reading))
  }
  return contexts
}

function readLeaves(layout: Layout, contexts: ReadonlyMap<string, SetContext>, reading: Reading): ReadLeaf[] {
  const leaves: ReadLeaf[] = []
  for (const { entry, name, set } of layout.candidates) {
    const context = contexts.get(set)
    if (context !== undefined) leaves.push(readLeaf(entry, name, context, reading))
  }
  return leaves
}

/** The ingress stands where its file does. */
function withIngress(leaves: readonly ReadLeaf[], ingress: ReadLeaf | null): readonly ReadLeaf[] {
  if (ingress === null) return leaves
  const at = leaves.findIndex((leaf) => leaf.document.entry.path > ingress.document.entry.path)
  return at < 0 ? [...leaves, ingress] : leaves.toSpliced(at, 0, ingress)
}

/** Paths that some leaf mounts or takes its environment from. */
function mountedPaths(leaves: readonly ReadLeaf[], root: RootContext): ReadonlySet<string> {
  const paths = new Set<string>()
  for (const source of Object.values(root.parts?.secrets ?? {})) {
    if (source.from === 'repository') paths.add(posix.normalize(source.file))
  }
  for (const leaf of leaves) {
    for (const path of leaf.contents.looked.keys()) paths.add(path)
    // A leaf with mistakes still says what is content, so that its content is not blamed too.
    if (leaf.parts === null) for (const path of mentionedPaths(leaf)) paths.add(path)
  }
  return paths
}

function mentionedPaths(leaf: ReadLeaf): string[] {
  const sources: unknown[] = []
  const { files, env_file: environment } = leaf.merged?.value ?? {}
  if (isMapping(files)) sources.push(...Object.values(files))
  sources.push(...(Array.isArray(environment) ? environment : [environment]))
  const folder = posix.dirname(leaf.document.entry.path)
  return sources.flatMap((source) => {
    const path: unknown = isMapping(source) ? (source['source'] ?? source['path']) : source
    return typeof path === 'string' ? [posix.join(folder, path)] : []
  })
}

/** Whether SOPS wrote a YAML file: nobody's leaf, whether or not a secret of the deployment names it. */
function isEncrypted(entry: SnapshotEntry | undefined): boolean {
  const text = entry?.content == null ? null : decodeText(entry.content)
  return text !== null && /^sops:\s*$/m.test(text)
}

/** Leaves that nobody will ever start, because their folder is no set. */
function strayLeaves(layout: Layout, mounted: ReadonlySet<string>): Problem[] {
  return layout.strays.flatMap((entry): Problem[] => {
    if (mounted.has(entry.path) || entry.content === null) return []
    const text = decodeText(entry.content)
    if (text === null || !/^(generation|image):/m.test(text)) return []
    const folder = entry.path.slice(0, entry.path.lastIndexOf('/'))
    const message = `this looks like a leaf, but ${folder} has no set.yaml, so it is content`
    return [{ ...wholeFile(entry, message, `add ${folder}/set.yaml to make the folder a set`), severity: 'warning' }]
  })
}

/** Sorts, tells each problem once, and keeps the list to a length that a person can read. */
function result(tree: Tree | null, problems: readonly Problem[]): ReadResult {
  if (problems.length === 0) return { tree, problems }
  const seen = new Set<string>()
  const sorted = problems
    .filter((problem) => {
      const key = `${problem.file}\n${problem.line}\n${problem.column}\n${problem.message}`
      return !seen.has(key) && seen.add(key)
    })
    .sort(compareProblems)
  if (sorted.length <= TOLD) return { tree, problems: sorted }
  const nowhere = { file: null, line: null, column: null, text: null, leaf: null }
  const message = `${sorted.length - TOLD} more problems are not shown`
  const severity = tree === null ? 'unreadable' : 'warning'
  return {
    tree,
    problems: [...sorted.slice(0, TOLD), { ...nowhere, message, remedy: 'start with those above', severity }],
  }
}

function sameValues(a: HostValues['host'], b: HostValues['host']): boolean {
  if (a === null || b === null) return a === b
  if (a.size !== b.size) return false
  for (const [name, value] of a) if (b.get(name) !== value) return false
  return true
}
