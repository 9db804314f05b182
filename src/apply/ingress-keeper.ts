// Lets the ingress follow what is live: one for all tables of a runner, so that no configuration is rendered from names
// that are half switched, and so that one reload answers all who asked meanwhile.

import PQueue from 'p-queue'

import type { Tree } from '../desired/tree.ts'
import type { RenderedIngress, renderIngress } from '../plan/ingress-config.ts'
import type { Observed, ObservedContainer } from '../plan/observed.ts'
import { situations, type Situation } from '../plan/situation.ts'
import type { Clock } from './clock.ts'
import { EngineFault, IngressRejection, type Engine, type IngressConfig } from './engine.ts'
import { createLeftOut, type LeftOut } from './ingress-left-out.ts'
import type { Report } from './progress.ts'

export interface IngressKeeper {
  /** Does work that switches names, while nobody looks at them to render a configuration. Never call `follow` in it. */
  renaming<T>(work: () => Promise<T>): Promise<T>
  /**
   * Resolves when every running ingress container of the deployment serves what was live when this was called, or later.
   * What it resolves to: the leaves whose ports HAProxy does not take, with its words. Throws EngineFault. Nothing to do
   * where no ingress container runs.
   */
  follow(tree: Tree): Promise<ReadonlyMap<string, string>>
  /** The configuration for an ingress container that was not started yet. Throws EngineFault. */
  first(tree: Tree, containerId: string): Promise<IngressConfig>
  /** Leaves whose ports are not served as they are declared, with HAProxy's words. */
  leftOut(): ReadonlyMap<string, string>
}

/** As `renderIngress` in src/plan/ingress-config.ts. */
export type RenderIngress = typeof renderIngress

export interface IngressKeeperOptions {
  readonly engine: Engine
  readonly clock: Clock
  readonly render: RenderIngress
  /** The tree that is wanted now; a table of an older one does not bring its settings back. Null: whoever asks says. */
  readonly newest: () => Tree | null
  readonly report: Report
}

/** What one round of following works with. */
interface Look {
  readonly tree: Tree
  readonly observed: Observed
  readonly situations: ReadonlyMap<string, Situation>
}

export function createIngressKeeper({ engine, clock, render, newest, report }: IngressKeeperOptions): IngressKeeper {
  const names = new PQueue({ concurrency: 1 })
  const leftOut: LeftOut = createLeftOut(clock)
  let last: Promise<unknown> = Promise.resolve()
  /** The round that has not looked yet: who asks now is answered by it. */
  let next: { readonly result: Promise<ReadonlyMap<string, string>>; tree: Tree } | null = null

  function look(asked: () => Tree): Promise<Look> {
    return names.add(async () => {
      const own = asked()
      const tree = newest() ?? own
      const observed = await engine.observe(tree.name, [])
      const found = situations(tree, observed)
      leftOut.forget(found)
      return { tree, observed, situations: found }
    })
  }

  async function round(): Promise<ReadonlyMap<string, string>> {
    const seen = await look(() => {
      const tree = next?.tree
      next = null
      if (tree === undefined) throw new Error('a round that nobody asked for')
      return tree
    })
    const targets = ingressContainers(seen)
    if (targets.length === 0) return new Map()
    // Each rejection leaves one more leaf out, so that this ends.
    while (!(await loadAll(targets, seen)));
    return leftOut.words()
  }

  /** False where HAProxy rejected the ports of a leaf, which are left out from now on. */
  async function loadAll(targets: readonly ObservedContainer[], seen: Look): Promise<boolean> {
    for (const { id } of targets) {
      const rendered = renderFor(id, seen)
      try {
        await load(id, rendered.config)
      } catch (error) {
        if (!(error instanceof IngressRejection)) {
          // One on its way out may have ended meanwhile.
          if (await stillRuns(id)) throw error
          continue
        }
        const blamed = leftOut.blame(error, rendered.ownerOf, seen.situations)
        if (blamed.length === 0) throw rejected(error)
        for (const leaf of blamed) report({ kind: 'left-out', leaf, because: error.message })
        return false
      }
    }
    return true
  }

  async function load(id: string, config: IngressConfig): Promise<void> {
    if ((await engine.ingressDigest(id, config.checkPort)) === config.digest) return
    await engine.loadIngressConfig(id, config)
  }

  async function stillRuns(id: string): Promise<boolean> {
    return (await engine.inspect(id))?.state === 'running'
  }

  function renderFor(id: string, { tree, observed, situations: found }: Look): RenderedIngress {
    return render(tree, leftOut.asBefore(observed, found), id, leftOut.without(found))
  }

  return {
    renaming: (work) => names.add(work),
    follow(tree) {
      if (next !== null) {
        next.tree = tree
        return next.result
      }
      const result = last.then(round)
      last = result.catch(() => undefined)
      next = { result, tree }
      return result
    },
    async first(tree, containerId) {
      const seen = await look(() => tree)
      if (seen.tree.ingress !== null) return renderFor(containerId, seen).config
      throw new EngineFault('not-found', 'the ingress is no longer in the tree', 'It is planned anew')
    },
    leftOut: () => leftOut.words(),
  }
}

/** Those that run, the live one first. */
function ingressContainers({ tree, situations: found }: Look): ObservedContainer[] {
  const own = tree.ingress === null ? undefined : found.get(tree.ingress.leaf)
  if (own === undefined) return []
  const all = [own.live, own.candidate, ...own.retired]
  return all.filter((container) => container?.state === 'running').filter((container) => container !== null)
}

function rejected({ message }: IngressRejection): EngineFault {
  const remedy = 'It is tried again; the ingress serves what it served before'
  return new EngineFault('engine', `HAProxy does not take the configuration: ${message}`, remedy)
}
