// A wish narrowed to a few leaves: nothing of the others is made or removed.

import { expect, it } from 'vitest'

import { onlyLeaves } from '../../../src/daemon/only-leaves.ts'
import type { Wish } from '../../../src/daemon/reconcile.ts'
import { hostOf, leaf, planOf, treeOf } from '../plan/build.ts'

const tree = treeOf(
  {
    web: leaf(1, 'networks: [front]\nvolumes: ["web-data:/x"]'),
    db: leaf(1, 'networks: [back]\nvolumes: ["db-data:/x"]'),
  },
  'networks: {front: {}, back: {}}\nvolumes: {web-data: {}, db-data: {}, spare: {}}\n',
)

it('networks and volumes of other leaves are not made, and none is removed', async () => {
  const host = await hostOf(treeOf({}))
  host.engine.addImage('app:1')
  await host.engine.createNetwork('shop', {
    key: 'gone',
    name: 'shop_gone',
    external: false,
    options: [...tree.networks.values()][0]?.options ?? ({} as never),
  })
  const wish: Wish = {
    tree,
    refused: new Map(),
    departed: new Map(),
    removals: { limit: () => 9, confirmed: true },
    bind: () => Promise.resolve(),
  }
  const observed = await host.observe(tree)
  const all = planOf(tree, observed).tables.map(({ id }) => id)
  expect(all).toEqual(expect.arrayContaining(['network back', 'volume spare', 'network shop_gone removed']))
  const narrowed = onlyLeaves(wish, new Set(['web']))
  const { only } = narrowed
  const { tables, verdicts } = planOf(narrowed.tree, observed, only === undefined ? {} : { only })
  expect(tables.map(({ id }) => id).toSorted()).toEqual(['network front', 'volume web-data', 'web'])
  expect(verdicts.map(({ leaf: name }) => name)).toEqual(['web'])
})
