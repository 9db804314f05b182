// An ingress as the keeper sees it: what each of its containers serves, a load that takes its time, and lines that are
// not taken. Everything else is the engine in memory.

import { IngressRejection, type Engine, type IngressConfig } from '../../../src/apply/engine.ts'
import type { RenderIngress } from '../../../src/apply/ingress-keeper.ts'
import type { Tree } from '../../../src/desired/tree.ts'
import { situations } from '../../../src/plan/situation.ts'
import type { Host } from '../plan/build.ts'

export interface IngressStandIn {
  readonly engine: Engine
  /** What each container serves now, by its id. */
  readonly served: Map<string, string>
  /** Every load that was asked for, rejected ones too. */
  readonly loads: string[]
  /** A line that holds one of these is not taken. */
  readonly bad: Set<string>
  /** Milliseconds that a load takes. */
  takes: number
  /** Milliseconds that a look takes, while nothing may be renamed. */
  lookTakes: number
}

export function ingressStandIn({ engine, clock }: Host): IngressStandIn {
  const standIn = {
    served: new Map<string, string>(),
    loads: [] as string[],
    bad: new Set<string>(),
    takes: 100,
    lookTakes: 0,
  }
  const own: Partial<Engine> = {
    async observe(...args) {
      const seen = await engine.observe(...args)
      if (standIn.lookTakes > 0) await clock.sleep(standIn.lookTakes)
      return seen
    },
    async putIngressConfig(id, text) {
      standIn.served.set(id, text)
    },
    async loadIngressConfig(id: string, { text }: IngressConfig) {
      standIn.loads.push(text)
      await clock.sleep(standIn.takes)
      const lines = text.split('\n').flatMap((line, index) => {
        return [...standIn.bad].some((part) => line.includes(part)) ? [index + 1] : []
      })
      if (lines.length > 0) throw new IngressRejection([`line ${lines.join(', ')} is odd`], lines)
      standIn.served.set(id, text)
    },
    async ingressDigest(id) {
      return standIn.served.get(id) ?? null
    },
  }
  const proxy = new Proxy<Engine>(engine, {
    get: (target, key, receiver) => (Reflect.get(own, key) ?? Reflect.get(target, key, receiver)) as unknown,
  })
  return Object.assign(standIn, { engine: proxy })
}

/** A line for each leaf: its name and the generation that is live, and `+` where an old one still runs. */
export const renderLines: RenderIngress = (tree, observed, _containerId, leftOut) => {
  const lines: { readonly leaf: string; readonly text: string }[] = []
  for (const [leaf, { live, retired }] of [...situations(tree, observed)].toSorted(([a], [b]) => (a < b ? -1 : 1))) {
    if (leaf === 'ingress' || leftOut.has(leaf) || live === null) continue
    const old = retired.some(({ state }) => state === 'running') ? ' +' : ''
    lines.push({ leaf, text: `${leaf} g${live.labels.generation}${old}` })
  }
  const text = lines.map((line) => line.text).join('\n')
  return { config: { text, digest: text, checkPort: 1936 }, ownerOf: (line) => lines[line - 1]?.leaf ?? null }
}

/** The tree with its leaf `ingress` as its ingress. */
export function behindIngress(tree: Tree): Tree {
  const timeouts = { connect: 1000, tcp: 1000, http: 1000, keep_alive: 1000 }
  return { ...tree, ingress: { leaf: 'ingress', checkPort: 1936, ipv6: true, timeouts } }
}
