// What graft leaves alone: what is not its own, what said so, and more than it may remove.

import { afterEach, beforeEach, describe, expect, inject, it } from 'vitest'

import { CHECKED, FOREVER, leaf, setStage, type Stage } from '../stage/stage.ts'

let stage: Stage
beforeEach(async () => {
  stage = await setStage({ engineUrl: inject('engineUrl'), deployment: 'removal_limit: 2\n' })
})
afterEach(() => stage.end())

const HEALTHY = `touch /tmp/ok; ${FOREVER}`
const web = (generation = 1, more = '') => leaf(generation, HEALTHY, CHECKED + more)

describe('removal', () => {
  it('removes what is no longer declared, and what depended on it first', async () => {
    await stage.commit({ 'a.yaml': web(), 'b.yaml': web(1, 'depends_on: [a]\n'), 'c.yaml': web() })
    await stage.apply()
    await stage.commit({ 'a.yaml': null, 'b.yaml': null })
    const { results, verdicts } = await stage.apply()
    expect(verdicts).toEqual({ a: 'remove', b: 'remove', c: 'keep' })
    expect(results.map(({ table }) => table.id)).toEqual(['b', 'a'])
    expect(Object.keys(await stage.containers())).toEqual(['c'])
  })

  it('keeps what said prune: false', async () => {
    await stage.commit({ 'a.yaml': web(1, 'prune: false\n'), 'c.yaml': web() })
    await stage.apply()
    await stage.commit({ 'a.yaml': null })
    expect((await stage.apply()).verdicts).toEqual({ a: 'keep', c: 'keep' })
    expect(Object.keys(await stage.containers()).toSorted()).toEqual(['a', 'c'])
  })

  it('asks before it removes more than the limit', async () => {
    await stage.commit({ 'a.yaml': web(), 'b.yaml': web(), 'c.yaml': web(), 'd.yaml': web() })
    await stage.apply()
    await stage.commit({ 'a.yaml': null, 'b.yaml': null, 'c.yaml': null })
    const held = await stage.apply()
    expect(held.turn.plan.removalHeld).toEqual({ count: 3, limit: 2, names: ['a', 'b', 'c'] })
    expect(Object.keys(await stage.containers()).toSorted()).toEqual(['a', 'b', 'c', 'd'])
    await stage.apply({ confirmed: true })
    expect(Object.keys(await stage.containers())).toEqual(['d'])
  })

  it('never removes a volume', async () => {
    await stage.commit({
      'deployment.yaml': `name: ${stage.name}\nformat: 1\nvolumes: {data: {}}\n`,
      'a.yaml': web(1, 'volumes: ["data:/data"]\n'),
      'b.yaml': web(),
    })
    await stage.apply()
    await stage.commit({ 'deployment.yaml': `name: ${stage.name}\nformat: 1\n`, 'a.yaml': null })
    await stage.apply()
    expect(Object.keys(await stage.containers())).toEqual(['b'])
    expect((await stage.docker.getVolume(`${stage.name}_data`).inspect()).Name).toBe(`${stage.name}_data`)
  })
})

describe('files that move', () => {
  it('a leaf that goes to another set changes nothing that runs', async () => {
    await stage.commit({ 'one/set.yaml': '{}\n', 'one/api.yaml': web(), 'two/set.yaml': '{}\n' })
    await stage.apply()
    const before = await stage.containers()
    await stage.git('mv', 'one/api.yaml', 'two/api.yaml')
    await stage.commit({})
    const { verdicts, results } = await stage.apply()
    expect(verdicts).toEqual({ api: 'keep' })
    expect(results).toEqual([])
    expect(await stage.containers()).toEqual(before)
  })

  it('renamed_from takes the container over under its new name', async () => {
    await stage.commit({ 'old.yaml': web() })
    await stage.apply()
    const before = await stage.containers()
    await stage.commit({ 'old.yaml': null, 'new.yaml': web(1, 'renamed_from: old\n') })
    expect((await stage.apply()).verdicts).toEqual({ new: 'restore' })
    const after = await stage.containers()
    expect(Object.keys(after)).toEqual(['new'])
    expect(after['new']?.id).toBe(before['old']?.id)
    await stage.commit({ 'new.yaml': web(2, 'environment: {A: b}\nrenamed_from: old\n') })
    expect((await stage.apply()).verdicts).toEqual({ new: 'replace' })
    expect(await stage.containers()).toMatchObject({ new: { generation: '2', state: 'running' } })
  })
})

describe('what is not graft’s', () => {
  it('a foreign container keeps its name, and a second deployment is another world', async () => {
    const { docker } = stage
    const foreign = await docker.createContainer({
      name: `${stage.name}-mine`,
      Image: 'graft-test/base:1',
      Cmd: ['sleep', '600'],
    })
    await foreign.start()
    const other = await setStage({ engineUrl: inject('engineUrl') })
    try {
      await other.commit({ 'else.yaml': web() })
      await other.apply()
      const theirs = [await foreign.inspect(), await other.containers()]
      await stage.commit({ [`${stage.name}-mine.yaml`]: web(), 'api.yaml': web() })
      const { turn } = await stage.apply()
      const verdict = turn.plan.verdicts.find(({ leaf }) => leaf === `${stage.name}-mine`)
      expect(verdict).toMatchObject({
        kind: 'hold',
        because: expect.stringContaining('is taken by a container that is not graft’s'.replace('’', "'")),
      })
      await stage.commit({ [`${stage.name}-mine.yaml`]: null, 'api.yaml': web(2, 'environment: {A: b}\n') })
      await stage.apply()
      await stage.commit({ 'api.yaml': null, 'last.yaml': web() })
      await stage.apply()
      expect(Object.keys(await stage.containers())).toEqual(['last'])
      expect([await foreign.inspect(), await other.containers()]).toEqual(theirs)
    } finally {
      await foreign.remove({ force: true })
      await other.end()
    }
  })
})

describe('state and suspend', () => {
  it('stopped keeps the containers, running brings them back, suspended is not touched', async () => {
    await stage.commit({ 'web/set.yaml': '{}\n', 'web/a.yaml': web(), 'web/b.yaml': web(1, 'depends_on: [a]\n') })
    await stage.apply()
    const before = await stage.containers()
    await stage.commit({ 'web/set.yaml': 'state: stopped\n' })
    const stopped = await stage.apply()
    expect(stopped.results.map(({ table }) => table.id)).toEqual(['b', 'a'])
    expect(await stage.containers()).toMatchObject({
      a: { id: before['a']?.id, state: 'exited', restartPolicy: 'no' },
      b: { id: before['b']?.id, state: 'exited', restartPolicy: 'no' },
    })
    expect((await stage.apply()).verdicts).toEqual({ a: 'keep', b: 'keep' })
    await stage.commit({ 'web/set.yaml': '{}\n' })
    const started = await stage.apply()
    expect(started.results.map(({ table }) => table.id)).toEqual(['a', 'b'])
    expect(await stage.containers()).toEqual(before)
    await stage.commit({ 'web/set.yaml': 'suspend: true\n', 'web/a.yaml': web(2, 'environment: {A: b}\n') })
    await stage.docker.getContainer('b').stop()
    const suspended = await stage.apply()
    expect(suspended.verdicts).toEqual({ a: 'hold', b: 'hold' })
    expect(await stage.containers()).toMatchObject({ a: { generation: '1' }, b: { state: 'exited' } })
  })
})

describe('generations', () => {
  it('the same number with another spec is refused, and what runs stays', async () => {
    await stage.commit({ 'a.yaml': web() })
    await stage.apply()
    const before = await stage.containers()
    await stage.commit({ 'a.yaml': web(1, 'environment: {A: b}\n') })
    const { verdicts, turn } = await stage.apply()
    expect(verdicts).toEqual({ a: 'refuse' })
    expect(turn.plan.verdicts[0]?.because).toMatch(/generation 1 of a already means another spec/)
    expect(await stage.containers()).toEqual(before)
    await stage.docker.getContainer('a').kill()
    await stage.apply()
    expect(await stage.containers()).toMatchObject({ a: { id: before['a']?.id, state: 'running' } })
  })
})
