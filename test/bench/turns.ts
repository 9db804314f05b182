// Nothing to do in a warm daemon: one look at the engine and one plan, at fifty and at several hundred containers.

import { createRunDigest } from '../../src/plan/run-digest.ts'
import { plan } from '../../src/plan/plan.ts'
import { removalLimit } from '../../src/desired/policy-judge.ts'
import { NO_POLICY } from '../../src/desired/policy.ts'
import { rewriteReference } from '../../src/engine/mirrors.ts'
import { setStage } from '../engine/stage/stage.ts'
import { services } from './fleet.ts'
import { attachEvents, endStage, leafFiles } from './graft.ts'
import type { Ground } from './ground.ts'
import { inWords, markdown, median, p95, timed } from './samples.ts'

export interface WarmTurns {
  readonly containers: number
  /** Milliseconds of each turn, and its two parts. */
  readonly turn: number[]
  readonly observe: number[]
  readonly plan: number[]
  /** The repository's part: is there a new commit? */
  readonly refresh: number[]
}

const TURNS = 20
/** A bridge of the engine that is brought up has 253 addresses. */
const PER_NETWORK = 200

export async function warmTurns(ground: Ground, count: number, say: (text: string) => void): Promise<WarmTurns> {
  const networks = Array.from({ length: Math.ceil(count / PER_NETWORK) }, (_, index) => `n${index + 1}`)
  const stage = await setStage({
    engineUrl: ground.url,
    deployment: `networks: {${networks.map((name) => `${name}: {}`).join(', ')}}\n`,
  })
  const stop = attachEvents(stage)
  try {
    const files: Record<string, string> = {}
    const fleet = services('svc', count)
    networks.forEach((name, index) => {
      const part = fleet.slice(index * PER_NETWORK, (index + 1) * PER_NETWORK)
      const leaves = leafFiles(part, 'none', `networks: [${name}]\n`)
      for (const [path, text] of Object.entries(leaves)) files[`${name}/${path}`] = text
      files[`${name}/set.yaml`] = 'description: one network\n'
    })
    await stage.commit(files)
    say(`starting ${count} containers`)
    const { reconciler } = stage.reconciler()
    const wish = await stage.wish()
    const { results } = await reconciler.settle(wish, new AbortController().signal)
    const bad = results.find(({ outcome }) => outcome.kind !== 'done')
    if (bad !== undefined) throw new Error(`graft failed: ${JSON.stringify(bad.outcome)}`)

    const runDigest = createRunDigest(Buffer.alloc(32))
    const references = [...new Set([...wish.tree.leaves.values()].map(({ spec }) => spec.image))]
    const samples: WarmTurns = { containers: count, turn: [], observe: [], plan: [], refresh: [] }
    for (let index = -2; index < TURNS; index++) {
      const repository = await timed(() => stage.wish())
      const turn = await timed(() => reconciler.turn(wish))
      if (turn.value.plan.tables.length > 0) throw new Error('there was something to do')
      // The same once more in its parts, which the reconciler does not show.
      const look = await timed(() => stage.engine.observe(stage.name, references))
      const planned = await timed(() =>
        plan({
          tree: wish.tree,
          observed: look.value,
          refused: wish.refused,
          departed: wish.departed,
          runDigest,
          mirror: (reference) => rewriteReference([], reference),
          waits: new Map(),
          busy: new Set(),
          removals: { limit: removalLimit(NO_POLICY, wish.tree, count), confirmed: false },
          probed: new Map(),
          ingress: new Map(),
          leftOut: new Set(),
          restarts: new Set(),
          gaps: new Map(),
          now: Date.now(),
        }),
      )
      if (index < 0) continue
      samples.refresh.push(repository.ms)
      samples.turn.push(turn.ms)
      samples.observe.push(look.ms)
      samples.plan.push(planned.ms)
    }
    return samples
  } finally {
    stop()
    say(`removing ${count} containers`)
    await endStage(stage, ground)
  }
}

export function turnLines(all: readonly WarmTurns[]): string[] {
  const both = (samples: readonly number[]): string => `${inWords(median(samples))} / ${inWords(p95(samples))}`
  const rows = all.map(({ containers, turn, observe, plan: planned, refresh }) => [
    `${containers} containers`,
    both(turn),
    both(observe),
    both(planned),
    both(refresh),
  ])
  const head = [
    'nothing to do, warm daemon',
    'turn',
    'of it: look at the engine',
    'of it: plan',
    'repository: look and judge',
  ]
  return [markdown(head, rows), '', `Median / 95th percentile of ${TURNS} turns.`]
}
