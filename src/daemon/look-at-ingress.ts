// Which configuration each running container of the ingress serves. Asked beside the look at the engine, of those that
// ran at the look before, so that it costs no time of its own.

import type { Engine } from '../apply/engine.ts'
import type { Tree } from '../desired/tree.ts'
import type { Observed } from '../plan/observed.ts'

export type Serves = ReadonlyMap<string, string | null>

export interface IngressLook {
  /** `looking`: the look at the engine. Throws what it throws. */
  look(tree: Tree, looking: Promise<Observed>): Promise<readonly [Observed, Serves]>
}

export function lookAtIngress(engine: Engine): IngressLook {
  let running: readonly string[] = []
  return {
    async look({ ingress }, looking) {
      if (ingress === null) return [await looking, new Map()]
      // A container that does not answer is not known to serve anything.
      const ask = (id: string) => engine.ingressDigest(id, ingress.checkPort).catch(() => null)
      const early = new Map(running.map((id) => [id, ask(id)]))
      const observed = await looking
      running = observed.containers
        .filter(({ labels, state }) => labels.leaf === ingress.leaf && state === 'running')
        .map(({ id }) => id)
      const answers = running.map(async (id) => [id, await (early.get(id) ?? ask(id))] as const)
      return [observed, new Map(await Promise.all(answers))]
    },
  }
}
