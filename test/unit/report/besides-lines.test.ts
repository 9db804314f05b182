// What graft approve does besides removals, shown before its question.

import { expect, it } from 'vitest'

import { besidesLines } from '../../../src/report/besides-lines.ts'
import { createPalette } from '../../../src/report/palette.ts'
import { leaf, planOf, treeOf } from '../plan/build.ts'
import { running } from '../plan/judged.ts'

const palette = createPalette(false)

it('a commit that also changes a leaf says so, without the removals; one that only removes says nothing', async () => {
  const before = treeOf({ web: leaf(1), leaving: leaf(1), same: leaf(1) })
  const after = treeOf({ web: leaf(2), same: leaf(1) })
  const host = await running(before, after)
  host.engine.addImage('app:2')
  const plan = planOf(after, await host.observe(after), { removals: { limit: 0, confirmed: false } })
  expect(plan.removalHeld).not.toBeNull()
  const text = besidesLines(plan, palette).join('\n')
  expect(text).toContain('The rest of the commit is brought about with it')
  expect(text).toContain('web')
  expect(text).not.toMatch(/leaving|NOTHING IS REMOVED/)
  const only = treeOf({ web: leaf(1), same: leaf(1) })
  expect(
    besidesLines(planOf(only, await host.observe(only), { removals: { limit: 0, confirmed: false } }), palette),
  ).toEqual([])
})
