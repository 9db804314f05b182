// Restarts that somebody asked for: new containers of the same generation, one after the other. A request is done when
// another container is live than when it was asked for; it ends where a new one fails its gate.

import type { ContainerSet, Tree } from '../desired/tree.ts'
import { launchOrder } from '../plan/order.ts'
import type { Verdict } from '../plan/verdict.ts'
import type { RestartStatus } from '../report/status.ts'
import { isMisnamed, leavesIn, type Misnamed, namedSet, nothingNamed, setNames } from './named-set.ts'

/** The leaves that a person means, in launch order, or why there are none. */
export function chooseForRestart(tree: Tree, asked: string): { readonly leaves: readonly string[] } | Misnamed {
  const leaf = tree.leaves.get(asked)
  if (leaf?.kind === 'job') {
    const remedy = `a job runs once for each generation: write the next one in ${leaf.file}`
    return { message: `${asked} is a job, and jobs are not restarted`, remedy }
  }
  if (leaf !== undefined) {
    const why = whyNot(tree, asked)
    return why === null ? { leaves: [asked] } : { message: `${asked} is not restarted: ${why}`, remedy: remedyFor(why) }
  }
  const set = namedSet(tree, asked)
  if (isMisnamed(set)) return set
  if (set === null) {
    return nothingNamed(tree, asked, 'no leaf and no set', [...tree.leaves.keys(), ...setNames(tree)])
  }
  const inside = new Set(leavesIn(set))
  const containers = launchOrder(tree).filter((name) => inside.has(name) && tree.leaves.get(name)?.kind === 'container')
  const leaves = containers.filter((name) => whyNot(tree, name) === null)
  const [first] = containers
  if (leaves.length > 0) return { leaves }
  const why = first === undefined ? 'it holds no container' : (whyNot(tree, first) ?? '')
  return { message: `nothing in ${asked} is restarted: ${why}`, remedy: remedyFor(why) }
}

const STOPPED = 'its set is stopped'
const SUSPENDED = 'its set is suspended'

function whyNot(tree: Tree, name: string): string | null {
  const leaf = tree.leaves.get(name)
  if (leaf === undefined) return 'it is gone from the tree'
  if (leaf.suspend) return SUSPENDED
  return leaf.state === 'stopped' ? STOPPED : null
}

function remedyFor(why: string): string {
  if (why === STOPPED) return 'start it with graft start SET'
  if (why === SUSPENDED) return 'take suspend: true out of its set.yaml'
  return 'graft status shows what there is'
}

export interface Restarts {
  /** One request: its leaves go one after the other, members of a set that switches together at once. */
  ask(leaves: readonly string[], now: number): void
  /** What is to be replaced now. `live`: id of the live container, null for none. */
  due(tree: Tree, live: (leaf: string) => string | null): ReadonlySet<string>
  /** Ends requests that a plan says will not get further by themselves. */
  planned(verdicts: readonly Verdict[], busy: ReadonlySet<string>): void
  /** A table of this leaf was taken back because a spec is to blame. */
  failed(leaf: string, message: string): void
  /** The last request of each leaf. */
  states(): ReadonlyMap<string, RestartStatus>
}

interface Asked {
  state: RestartStatus['state']
  message: string | null
  readonly at: number
  /** The container that was live; undefined until the first look. */
  from: string | undefined
}

export function createRestarts(): Restarts {
  const asked = new Map<string, Asked>()
  let requests: (readonly string[])[] = []
  let current: ReadonlySet<string> = new Set()

  function end(leaf: string, state: Asked['state'], message: string | null): void {
    const one = asked.get(leaf)
    if (one?.state === 'asked') Object.assign(one, { state, message })
  }

  function fail(leaf: string, message: string): void {
    end(leaf, 'failed', message)
    for (const request of requests) {
      if (request.includes(leaf)) for (const other of request) end(other, 'left', `${leaf} failed before it`)
    }
  }

  function look(leaf: string, tree: Tree, live: string | null): void {
    const one = asked.get(leaf)
    if (one === undefined) return
    const why = whyNot(tree, leaf) ?? (live === null ? 'it does not run' : null)
    if (why !== null) end(leaf, 'left', why)
    else if (one.from === undefined) one.from = live ?? undefined
    else if (one.from !== live) end(leaf, 'done', null)
  }

  return {
    ask(leaves, now) {
      const fresh = leaves.filter((leaf) => asked.get(leaf)?.state !== 'asked')
      for (const leaf of fresh) asked.set(leaf, { state: 'asked', message: null, at: now, from: undefined })
      if (fresh.length > 0) requests.push(fresh)
    },
    due(tree, live) {
      const due = new Set<string>()
      for (const request of requests) {
        for (const leaf of request) look(leaf, tree, live(leaf))
        const open = request.filter((leaf) => asked.get(leaf)?.state === 'asked')
        const [first] = open
        if (first === undefined) continue
        const group = togetherWith(tree.root, first)
        for (const leaf of open) if (leaf === first || group.has(leaf)) due.add(leaf)
      }
      requests = requests.filter((request) => request.some((leaf) => asked.get(leaf)?.state === 'asked'))
      return (current = due)
    },
    planned(verdicts, busy) {
      for (const { leaf, kind, because, awaits, retryAt } of verdicts) {
        if (!current.has(leaf) || busy.has(leaf)) continue
        const isStuck = kind === 'hold' && awaits === null && retryAt === null
        if (kind === 'refuse' || isStuck) fail(leaf, because)
      }
    },
    failed: fail,
    states: () => new Map([...asked].map(([leaf, { state, message, at }]) => [leaf, { state, message, at }])),
  }
}

/** The members of the outermost set around the leaf that switches as one; empty where there is none. */
function togetherWith(set: ContainerSet, leaf: string): ReadonlySet<string> {
  if (!leavesIn(set).includes(leaf)) return new Set()
  if (set.together) return new Set(leavesIn(set))
  const inner = set.sets.find((one) => leavesIn(one).includes(leaf))
  return inner === undefined ? new Set() : togetherWith(inner, leaf)
}
