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
    await stage.commit({ 'aa.yaml': web(), 'bb.yaml': web(1, 'depends_on: [aa]\n'), 'cc.yaml': web() })
    await stage.apply()
    await stage.commit({ 'aa.yaml': null, 'bb.yaml': null })
    const { results, verdicts } = await stage.apply()
    expect(verdicts).toEqual({ aa: 'remove', bb: 'remove', cc: 'keep' })
    expect(results.map(({ table }) => table.id)).toEqual(['bb', 'aa'])
    expect(Object.keys(await stage.containers())).toEqual(['cc'])
  })

  it('removes what others may use only when these have become what the commit says', async () => {
    await stage.commit({ 'cache.yaml': web(), 'api.yaml': web(1, 'depends_on: [cache]\n') })
    await stage.apply()
    const before = await stage.containers()
    await stage.commit({ 'cache.yaml': null, 'api.yaml': leaf(2, 'exit 5') })
    const { turn } = await stage.apply()
    expect(await stage.containers()).toMatchObject({ api: before['api'], cache: before['cache'] })
    expect(turn.plan.verdicts.find(({ leaf: name }) => name === 'cache')).toMatchObject({
      kind: 'hold',
      because: expect.stringContaining('api still runs an older generation'),
    })
    await stage.commit({ 'api.yaml': web(3, 'environment: {A: b}\n') })
    const { results } = await stage.apply()
    expect(results.map(({ table }) => table.id)).toEqual(['api', 'cache'])
    expect(Object.keys(await stage.containers()).toSorted()).toEqual(['api', 'api.failed'])
  })

  it('keeps what said prune: false', async () => {
    await stage.commit({ 'aa.yaml': web(1, 'prune: false\n'), 'cc.yaml': web() })
    await stage.apply()
    await stage.commit({ 'aa.yaml': null })
    expect((await stage.apply()).verdicts).toEqual({ aa: 'keep', cc: 'keep' })
    expect(Object.keys(await stage.containers()).toSorted()).toEqual(['aa', 'cc'])
  })

  it('asks before it removes more than the limit', async () => {
    await stage.commit({ 'aa.yaml': web(), 'bb.yaml': web(), 'cc.yaml': web(), 'dd.yaml': web() })
    await stage.apply()
    await stage.commit({ 'aa.yaml': null, 'bb.yaml': null, 'cc.yaml': null })
    const held = await stage.apply()
    expect(held.turn.plan.removalHeld).toMatchObject({ count: 3, limit: 2, names: ['aa', 'bb', 'cc'] })
    expect(Object.keys(await stage.containers()).toSorted()).toEqual(['aa', 'bb', 'cc', 'dd'])
    await stage.apply({ confirmed: true })
    expect(Object.keys(await stage.containers())).toEqual(['dd'])
  })

  it('never removes a volume', async () => {
    await stage.commit({
      'deployment.yaml': stage.deploymentYaml('volumes: {data: {}}\n'),
      'aa.yaml': web(1, 'volumes: ["data:/data"]\n'),
      'bb.yaml': web(),
    })
    await stage.apply()
    await stage.commit({ 'deployment.yaml': stage.deploymentYaml(), 'aa.yaml': null })
    await stage.apply()
    expect(Object.keys(await stage.containers())).toEqual(['bb'])
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
      await stage.commit({ 'mine.yaml': web(), 'api.yaml': web() })
      const { turn } = await stage.apply()
      const verdict = turn.plan.verdicts.find(({ leaf }) => leaf === 'mine')
      expect(verdict).toMatchObject({
        kind: 'hold',
        because: expect.stringContaining("is taken by a container that is not this deployment's"),
      })
      await stage.commit({ 'mine.yaml': null, 'api.yaml': web(2, 'environment: {A: b}\n') })
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
    await stage.commit({ 'web/set.yaml': '{}\n', 'web/aa.yaml': web(), 'web/bb.yaml': web(1, 'depends_on: [aa]\n') })
    await stage.apply()
    const before = await stage.containers()
    await stage.commit({ 'web/set.yaml': 'state: stopped\n' })
    const stopped = await stage.apply()
    expect(stopped.results.map(({ table }) => table.id)).toEqual(['bb', 'aa'])
    expect(await stage.containers()).toMatchObject({
      aa: { id: before['aa']?.id, state: 'exited', restartPolicy: 'no' },
      bb: { id: before['bb']?.id, state: 'exited', restartPolicy: 'no' },
    })
    expect((await stage.apply()).verdicts).toEqual({ aa: 'keep', bb: 'keep' })
    await stage.commit({ 'web/set.yaml': '{}\n' })
    const started = await stage.apply()
    expect(started.results.map(({ table }) => table.id)).toEqual(['aa', 'bb'])
    expect(await stage.containers()).toEqual(before)
    await stage.commit({ 'web/set.yaml': 'suspend: true\n', 'web/aa.yaml': web(2, 'environment: {A: b}\n') })
    await stage.container('bb').stop()
    const suspended = await stage.apply()
    expect(suspended.verdicts).toEqual({ aa: 'hold', bb: 'hold' })
    expect(await stage.containers()).toMatchObject({ aa: { generation: '1' }, bb: { state: 'exited' } })
  })
})

describe('generations', () => {
  it('the same number with another spec is refused, and what runs stays', async () => {
    await stage.commit({ 'aa.yaml': web() })
    await stage.apply()
    const before = await stage.containers()
    await stage.commit({ 'aa.yaml': web(1, 'environment: {A: b}\n') })
    const { verdicts, turn } = await stage.apply()
    expect(verdicts).toEqual({ aa: 'refuse' })
    expect(turn.plan.verdicts[0]?.because).toMatch(/generation 1 of aa already means another spec/)
    expect(await stage.containers()).toEqual(before)
    await stage.container('aa').kill()
    await stage.apply()
    expect(await stage.containers()).toMatchObject({ aa: { id: before['aa']?.id, state: 'running' } })
  })
})
