// What became of a candidate between its gate and the switch, while others of its table were still at theirs.

import { describe, expect, it } from 'vitest'

import { EngineFault } from '../../../src/apply/engine.ts'
import { SpecFailure } from '../../../src/apply/outcome.ts'
import { stillUp } from '../../../src/apply/still-up.ts'
import type { Behaviour } from '../../../src/engine/memory/behaviour.ts'
import { hostOf, leaf, leafIn, treeOf, type Put } from '../plan/build.ts'

async function passed(put: Put = {}, behaviour: Behaviour = {}) {
  const tree = treeOf({ web: leaf(1) })
  const { engine, clock, put: place } = await hostOf(tree, { behaviour })
  const id = await place(tree, 'web', { role: 'candidate', ...put })
  const look = () =>
    clock.run(stillUp({ engine, clock, leaf: leafIn(tree, 'web'), id }).catch((error: unknown) => error))
  return { engine, clock, id, look }
}

describe('goes on', () => {
  it('where it runs', async () => {
    expect(await (await passed()).look()).toBeUndefined()
  })
})

describe('blames its spec', () => {
  // Also with the codes that a stop, an engine's end and a program's `exit(-1)` share.
  it.each([3, 0, 137, 143, 255])('where it ended by itself with %i', async (exitCode) => {
    const { clock, look } = await passed({}, { exitsAfter: 500, exitCode })
    await clock.advance(1000)
    const failure = await look()
    expect(failure).toBeInstanceOf(SpecFailure)
    expect(failure).toMatchObject({ message: `exited with code ${exitCode} after its gate` })
  })
})

describe('blames nobody', () => {
  it.each([['stop'], ['pause'], ['remove']] as const)('where somebody did it: %s', async (act) => {
    const { engine, id, look } = await passed()
    await engine[act](id)
    expect(await look()).toBeInstanceOf(EngineFault)
  })

  it('where it went down with its engine', async () => {
    const { engine, look } = await passed()
    engine.restart({ liveRestore: false })
    expect(await look()).toBeInstanceOf(EngineFault)
  })
})
