// The table of docs/crash-safety.md, row by row on a real engine: each situation that a crash can leave is made by hand,
// and graft must bring it to its end.

import { afterEach, beforeEach, describe, expect, inject, it } from 'vitest'

import type { Tree } from '../../../src/desired/tree.ts'
import { withHostname } from '../../../src/plan/default-hostname.ts'
import { CHECKED, FOREVER, leaf, setStage, type Seen, type Stage } from '../stage/stage.ts'

const HEALTHY = `touch /tmp/ok; ${FOREVER}`
const yaml = (generation: number, exclusive: boolean, line = HEALTHY) =>
  leaf(
    generation,
    line,
    `${CHECKED}environment: {N: "${generation}"}\nupdate: {drain: 0s, deadline: 3s}\n${exclusive ? 'volumes: ["data:/data"]\n' : ''}`,
  )

let stage: Stage
const trees = new Map<number, Tree>()

beforeEach(async () => {
  stage = await setStage({ engineUrl: inject('engineUrl'), deployment: 'volumes: {data: {}}\n' })
  trees.clear()
})
afterEach(() => stage.end())

/** Commits generation 1, 2 …, remembering the tree of each; generation 1 is applied. */
async function history(exclusive: boolean, secondLine = HEALTHY): Promise<void> {
  for (const generation of [1, 2]) {
    await stage.commit({ 'api.yaml': yaml(generation, exclusive, generation === 2 ? secondLine : HEALTHY) })
    trees.set(generation, (await stage.wish()).tree)
    if (generation === 1) await stage.apply()
  }
}

/** A container of a generation as graft makes it, under any name. */
async function make(name: string, generation: number): Promise<string> {
  const tree = trees.get(generation)
  const wanted = tree?.leaves.get('api')
  const image = await stage.engine.findImage('graft-test/base:1')
  if (tree === undefined || wanted === undefined || image === null) throw new Error('no such generation')
  return stage.engine.create({
    name: `${stage.name}-${name}`,
    tree,
    leaf: withHostname(wanted, tree, image),
    image,
    imageReference: 'graft-test/base:1',
    runDigest: stage.runDigest(wanted),
    joins: new Map(),
  })
}

async function takeLiveDown(): Promise<void> {
  await stage.container('api').update({ RestartPolicy: { Name: 'no' } })
  await stage.container('api').stop()
}

async function retireLive(): Promise<string> {
  const name = `${stage.name}-api.prev-${(await stage.containers())['api']?.id.slice(0, 6)}`
  await stage.container('api').rename({ name })
  return name
}

async function endsAs(generation: string, others: readonly string[] = []): Promise<Record<string, Seen>> {
  await stage.apply()
  const containers = await stage.containers()
  expect(Object.keys(containers).toSorted()).toEqual(['api', ...others])
  expect(containers['api']).toMatchObject({ state: 'running', generation, restartPolicy: 'always' })
  expect((await stage.plan()).plan.tables).toEqual([])
  return containers
}

describe('.next was created and never started', () => {
  it('NAME runs: it is removed, and the swap begins anew', async () => {
    await history(false)
    const id = await make('api.next', 2)
    expect((await stage.plan()).plan.verdicts[0]).toMatchObject({
      kind: 'recover',
      because: expect.stringContaining('half written'),
    })
    expect((await endsAs('2'))['api']?.id).not.toBe(id)
  })

  it('NAME is down because of us: it comes back first', async () => {
    await history(true)
    await takeLiveDown()
    await make('api.next', 2)
    const { plan } = await stage.plan()
    expect(plan.tables[0]?.commit.map(({ action }) => action.do)).toEqual(['remove', 'start', 'restart-policy'])
    await endsAs('2')
  })
})

describe('.next runs', () => {
  it('beside NAME, still wanted: it goes on at its gate', async () => {
    await history(false)
    const id = await make('api.next', 2)
    await stage.engine.start(id)
    expect((await endsAs('2'))['api']?.id).toBe(id)
  })

  it('beside NAME, no longer wanted: it is removed', async () => {
    await history(false)
    const before = (await stage.containers())['api']
    await stage.engine.start(await make('api.next', 2))
    await stage.git('revert', '--no-edit', 'HEAD')
    expect((await endsAs('1'))['api']).toEqual(before)
  })

  it('beside a NAME that may not run beside it: it is stopped at once', async () => {
    await history(true)
    const id = await make('api.next', 2)
    await stage.engine.start(id)
    const { plan } = await stage.plan()
    expect(plan.tables[0]?.commit.map(({ action }) => action.do)).toEqual(['stop', 'remove'])
    expect((await endsAs('2'))['api']?.id).not.toBe(id)
  })

  it('NAME exited, still wanted: it goes on at its gate', async () => {
    await history(true)
    await takeLiveDown()
    const id = await make('api.next', 2)
    await stage.engine.start(id)
    expect((await endsAs('2'))['api']?.id).toBe(id)
  })

  it('NAME exited, and it fails its gate: NAME comes back', async () => {
    await history(true, FOREVER)
    const before = (await stage.containers())['api']
    await takeLiveDown()
    await stage.engine.start(await make('api.next', 2))
    expect((await endsAs('1', ['api.failed']))['api']).toEqual(before)
  })

  it('NAME exited, no longer wanted: NAME comes back', async () => {
    await history(true)
    const before = (await stage.containers())['api']
    await takeLiveDown()
    await stage.engine.start(await make('api.next', 2))
    await stage.git('revert', '--no-edit', 'HEAD')
    expect((await endsAs('1'))['api']).toEqual(before)
  })
})

describe('.next exited', () => {
  it('by itself: it had failed, and NAME comes back', async () => {
    await history(true, 'exit 3')
    const before = (await stage.containers())['api']
    await takeLiveDown()
    const id = await make('api.next', 2)
    await stage.engine.start(id)
    await stage.docker.getContainer(id).wait()
    expect((await endsAs('1', ['api.failed']))['api']).toEqual(before)
  })

  it('because the engine went down: nobody is to blame, and it is tried again', async () => {
    await history(true)
    await takeLiveDown()
    const id = await make('api.next', 2)
    await stage.engine.start(id)
    await stage.docker.getContainer(id).kill()
    await endsAs('2')
  })
})

describe('.prev is there', () => {
  it('no NAME, and .next: the gate had passed, .next takes the name', async () => {
    await history(false)
    const id = await make('api.next', 2)
    await stage.engine.start(id)
    await stage.engine.setRestartPolicy(id, 'always')
    await retireLive()
    expect((await endsAs('2'))['api']?.id).toBe(id)
  })

  it('no NAME, nothing else: it takes its name back and runs', async () => {
    await history(true)
    await stage.git('revert', '--no-edit', 'HEAD')
    const before = (await stage.containers())['api']
    await takeLiveDown()
    await retireLive()
    expect((await endsAs('1'))['api']).toEqual(before)
  })

  it('NAME runs: .prev is removed', async () => {
    await history(false)
    await retireLive()
    const id = await make('api', 2)
    await stage.engine.start(id)
    await stage.engine.setRestartPolicy(id, 'always')
    expect((await endsAs('2'))['api']?.id).toBe(id)
  })

  it('NAME exited and starts again: .prev is removed', async () => {
    await history(true)
    await takeLiveDown()
    await retireLive()
    const id = await make('api', 2)
    await stage.engine.start(id)
    await stage.docker.getContainer(id).stop()
    expect((await endsAs('2'))['api']?.id).toBe(id)
  })

  it('NAME exited and does not start: .prev comes back', async () => {
    await history(true, 'exit 4')
    const before = (await stage.containers())['api']
    await takeLiveDown()
    await retireLive()
    const id = await make('api', 2)
    await stage.engine.start(id)
    await stage.docker.getContainer(id).wait()
    expect((await endsAs('1', ['api.failed']))['api']).toEqual(before)
  })
})
