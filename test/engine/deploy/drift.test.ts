// Somebody changes by hand what graft keeps: each change is found and mended with the least step.

import { afterAll, beforeAll, beforeEach, describe, expect, inject, it, vi } from 'vitest'

import { CHECKED, FOREVER, leaf, setStage, type Seen, type Stage } from '../stage/stage.ts'

let stage: Stage
let before: Seen | undefined

beforeAll(async () => {
  stage = await setStage({ engineUrl: inject('engineUrl'), deployment: 'networks: {back: {}}\n' })
  const more = `${CHECKED}mem_limit: 64m\nnetworks: {back: {aliases: [service]}, default: {}}\n`
  await stage.commit({ 'api.yaml': leaf(1, `touch /tmp/ok; ${FOREVER}`, more) })
  await stage.apply()
})
beforeEach(async () => {
  before = (await stage.containers())['api']
})
afterAll(() => stage.end())

async function mends(verdict: string, because: RegExp, same: boolean): Promise<void> {
  const planned = await stage.plan()
  expect(planned.plan.verdicts).toEqual([
    expect.objectContaining({ kind: verdict, because: expect.stringMatching(because) }),
  ])
  const { results } = await stage.apply()
  const done = results.filter(({ outcome }) => outcome.kind === 'done')
  expect(done.map(({ table }) => table.leaves)).toEqual([['api']])
  const containers = await stage.containers()
  expect(Object.keys(containers)).toEqual(['api'])
  expect(containers['api']).toMatchObject({ state: 'running', restartPolicy: 'always' })
  expect(containers['api']?.id === before?.id).toBe(same)
  // The engine's own view of its health may lag behind by a check's interval.
  await vi.waitFor(async () => expect((await stage.apply()).verdicts).toEqual({ api: 'keep' }), { timeout: 10_000 })
}

const container = () => stage.container('api')

describe('drift', () => {
  it('killed', async () => {
    await container().kill()
    await mends('restore', /exited with code 137/, true)
  })

  it('stopped', async () => {
    await container().stop()
    await mends('restore', /exited with code/, true)
  })

  it('paused', async () => {
    await container().pause()
    await mends('restore', /someone paused it/, true)
  })

  it('limits changed with docker update', async () => {
    await container().update({ Memory: 128 * 1024 * 1024, MemorySwap: 256 * 1024 * 1024 })
    await mends('restore', /mem_limit/, true)
  })

  it('restart policy changed with docker update', async () => {
    await container().update({ RestartPolicy: { Name: 'no' } })
    await mends('restore', /restart policy is no/, true)
  })

  it('disconnected from a network', async () => {
    await stage.docker.getNetwork(`${stage.name}_default`).disconnect({ Container: `${stage.name}-api` })
    await mends('restore', /networks/, true)
  })

  it('connected to a network it never asked for', async () => {
    await stage.docker.getNetwork('bridge').connect({ Container: `${stage.name}-api` })
    await mends('restore', /networks/, true)
  })

  it('renamed', async () => {
    await container().rename({ name: `${stage.name}-elsewhere` })
    await mends('restore', /someone renamed it/, true)
  })

  it('removed', async () => {
    await container().remove({ force: true })
    await mends('create', /does not exist/, false)
  })
})
