// What would take everything away waits for a person: an empty tree, a deployment.yaml or a folder that is gone;
// graft approve lets go what was shown, and nothing else. With the real program.

import { afterEach, beforeEach, describe, expect, inject, it } from 'vitest'

import { FOREVER, leaf, setStage, type Stage } from '../stage/stage.ts'
import { graft, type Ran } from './graft.ts'

let stage: Stage
beforeEach(async () => {
  stage = await setStage({ engineUrl: inject('engineUrl') })
})
afterEach(() => stage.end())

const web = leaf(1, FOREVER, 'update: {settle: 0s}\n')

function run(...args: string[]): Promise<Ran> {
  return graft(stage.repo, [...args, '--engine', inject('engineUrl'), '--state', stage.state, '--allow-privileged'])
}

describe('an empty tree', () => {
  it('removes nothing, says so with the command to type, and goes when that is typed for this commit', async () => {
    await stage.commit({ 'aa.yaml': web, 'bb.yaml': web })
    await stage.apply()
    const before = await stage.containers()
    const id = await stage.commit({ 'aa.yaml': null, 'bb.yaml': null })

    const status = await run('status')
    expect(status.output).toContain('the commit declares no leaf at all, and 2 leaves would be removed: aa, bb')
    expect(status.output).toContain(`graft approve ${id.slice(0, 7)}`)
    expect((await run('apply')).exitCode).toBe(1)
    expect(await stage.containers()).toEqual(before)

    const another = await run('approve', '--yes', '0123456')
    expect(another).toMatchObject({ exitCode: 1, output: expect.stringContaining('and not 0123456') })
    const unasked = await run('approve', id.slice(0, 7))
    expect(unasked).toMatchObject({ exitCode: 1, output: expect.stringContaining('no terminal') })
    expect(await stage.containers()).toEqual(before)

    expect(await run('approve', '--yes', id.slice(0, 7))).toMatchObject({ exitCode: 0 })
    expect(await stage.containers()).toEqual({})
    const again = await run('approve', '--yes')
    expect(again).toMatchObject({ exitCode: 1, output: expect.stringContaining('no removal waits') })
  })

  it('one that approved what was shown has not approved what came after', async () => {
    await stage.commit({ 'aa.yaml': web, 'bb.yaml': web })
    await stage.apply()
    await stage.commit({ 'aa.yaml': null, 'bb.yaml': null })
    const wish = await stage.wish()
    const { removalHeld } = (await stage.reconciler().reconciler.look(wish)).plan
    const approved = { ...wish, removals: { ...wish.removals, approved: new Set(removalHeld?.ids) } }
    // Somebody makes one of them anew, which nobody has approved.
    const old = await stage.engine.capture((await stage.container('aa').inspect()).Id, [])
    if (old === null) throw new Error('gone')
    await stage.container('aa').remove({ force: true })
    await stage.engine.start(await stage.engine.recreate(old))
    const { turn } = await stage.reconciler().reconciler.settle(approved, new AbortController().signal)
    expect(turn.plan.removalHeld).toMatchObject({ because: 'empty', count: 2 })
    expect(Object.keys(await stage.containers())).toEqual(expect.arrayContaining(['aa', 'bb']))
  })
})

describe('what cannot be read', () => {
  it('a deployment.yaml or a folder that is gone changes nothing, and says which', async () => {
    await stage.commit({ 'aa.yaml': web })
    await stage.apply()
    const before = await stage.containers()
    await stage.commit({ 'deployment.yaml': null })
    const without = await run('apply', '--path', '')
    expect(without.exitCode, without.output).toBe(1)
    expect(without.output).toContain('deployment.yaml')
    expect(await stage.containers()).toEqual(before)
    const elsewhere = await run('apply', '--path', 'moved')
    expect(elsewhere.exitCode, elsewhere.output).toBe(1)
    expect(elsewhere.output).toContain('moved')
    expect(await stage.containers()).toEqual(before)
  })
})
