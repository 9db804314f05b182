// What is found after an end between the renames and the reload: the ingress follows, or everything goes back.

import { describe, expect, it } from 'vitest'

import { createIngressKeeper } from '../../../src/apply/ingress-keeper.ts'
import type { Behaviour } from '../../../src/engine/memory/behaviour.ts'
import { standing } from '../daemon/memory-stage.ts'
import { hostOf, leaf, treeOf } from '../plan/build.ts'
import { benchOn, execute, tableFor } from './bench.ts'
import { ingressStandIn, renderLines } from './ingress-stand-in.ts'

const PORTS = 'ports: ["80:80"]\nhealthcheck: {test: [CMD, ok], interval: 60s, retries: 2}\n'
const shop = (generation: number) =>
  treeOf({ web: leaf(generation, PORTS) }, 'ingress: {image: haproxy:1, generation: 1}\n')

/** Both containers run, the names are switched, and the ingress still serves what it served before. */
async function switched(fresh: Behaviour = {}) {
  const host = await hostOf(shop(1), { behaviour: { connections: 2 } })
  const ingress = await host.put(shop(1), 'ingress')
  host.engine.addImage('app:2', { behaviour: fresh })
  await host.put(shop(1), 'web', { role: 'retired', policy: 'always' })
  await host.put(shop(2), 'web')
  const { engine } = host
  const standIn = ingressStandIn(host)
  standIn.served.set(ingress, 'web g1')
  async function turn() {
    const tree = shop(2)
    const bench = benchOn(host, tree, standIn.engine)
    const { report } = bench
    const { clock } = host
    const keeper = createIngressKeeper({
      engine: standIn.engine,
      clock,
      render: renderLines,
      newest: () => null,
      report,
    })
    return clock.run(execute(await tableFor(host, tree), { ...bench, ingress: keeper }))
  }
  return { turn, standIn, engine, served: () => standIn.served.get(ingress) }
}

describe('a swap that ended between its renames and the reload', () => {
  it('goes on', async () => {
    const { turn, engine, served } = await switched()
    const { outcome, leftovers } = await turn()
    expect([outcome.kind, leftovers]).toEqual(['done', []])
    expect(served()).toBe('web g2')
    expect(standing(engine)).toMatchObject({ web: 'running g2 always' })
  })

  it('goes back where HAProxy does not take its ports', async () => {
    const { turn, standIn, engine, served } = await switched()
    standIn.bad.add('web g2')
    const { outcome, leftovers } = await turn()
    expect(outcome).toMatchObject({ kind: 'failed', leaf: 'web', message: expect.stringContaining('is odd') })
    expect(leftovers).toEqual([])
    expect(served()).toBe('web g1')
    expect(standing(engine)).toEqual({
      ingress: 'running g1 always',
      web: 'running g1 always',
      'web.failed': 'exited g2 no',
    })
  })
})
