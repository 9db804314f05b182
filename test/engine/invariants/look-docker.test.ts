// A look at a real engine shows what the invariants need, and a watch of one says when they are broken.

import { afterAll, afterEach, beforeAll, beforeEach, expect, inject, test, vi } from 'vitest'

import { acceptedCommits } from '../../invariants/accepted.ts'
import { watchEngine, type Watched } from '../../crash/watch-engine.ts'
import { lookAtDocker } from '../../invariants/look-docker.ts'
import { putStrangers, removeStrangers } from '../../invariants/strangers.ts'
import { CHECKED, FOREVER, leaf, setStage, type Stage } from '../stage/stage.ts'

const IMAGE = 'graft-test/base:1'
let stage: Stage
let watched: Watched

beforeAll(async () => {
  stage = await setStage({
    engineUrl: inject('engineUrl'),
    testUrl: inject('directEngineUrl'),
    deployment: 'volumes: {data: {}}\n',
  })
  const accepted = acceptedCommits(() => stage.judge(), stage.runDigest)
  watched = { startFirst: ['web'], exclusive: ['store'], alone: ['data'], accepted }
  const quick = 'stop_grace_period: 1s\n'
  await stage.commit({
    'web.yaml': leaf(1, `touch /tmp/ok; ${FOREVER}`, `${CHECKED}${quick}update: {drain: 0s}\n`),
    'store.yaml': leaf(4, FOREVER, `${quick}volumes: ["data:/data"]\n`),
  })
  await accepted.note()
})
beforeEach(async () => {
  await putStrangers(stage.docker, IMAGE)
  await stage.apply()
})
afterEach(() => removeStrangers(stage.docker))
afterAll(() => stage?.end())

const look = () => lookAtDocker(stage.docker, stage.name)

/** What is said of what `act` does. */
async function said(act: () => Promise<unknown>, more: Partial<Watched> = {}): Promise<readonly string[]> {
  const watch = watchEngine(stage, { ...watched, ...more })
  await vi.waitUntil(() => watch.looks() > 1)
  await act()
  // The list of an engine lags a little behind what it has just answered.
  const before = watch.looks()
  await vi.waitUntil(() => watch.looks() > before + 3)
  const { broken } = await watch.stop()
  return broken.map((text) => text.replaceAll(stage.name, 'NAME'))
}

test('what a look shows of the deployment', async () => {
  const web = async () => (await look()).containers.find(({ name }) => name === `${stage.name}-web`)
  await vi.waitFor(async () => expect((await web())?.healthy).toBe(true), 10_000)
  const seen = await look()
  const store = seen.containers.find(({ name }) => name === `${stage.name}-store`)
  expect(store).toMatchObject({ deployment: stage.name, leaf: 'store', generation: '4', running: true, healthy: null })
  expect(store?.volumes).toEqual([`${stage.name}_data`])
  expect(seen.volumes).toContain(`${stage.name}_data`)
  expect(watched.accepted.has('store', '4', store?.runDigest ?? '')).toBe(true)
  expect(watched.accepted.has('store', '4', 'another')).toBe(false)
  expect([...(seen.foreign?.keys() ?? [])].filter((what) => what.includes(stage.name))).toEqual([])
})

test('what a look shows of what is somebody else’s', async () => {
  const docker = stage.docker
  const { Id } = await docker.getContainer('stranger').inspect()
  const byId = docker.getContainer(Id)
  const key = `container ${Id.slice(0, 12)}`
  const acts: readonly (readonly [what: string, act: () => Promise<unknown>])[] = [
    [key, () => byId.update({ RestartPolicy: { Name: 'no' } })],
    [key, () => docker.getNetwork('bridge').connect({ Container: Id })],
    [key, () => byId.rename({ name: 'stranger-2' })],
    [key, () => byId.stop({ t: 0 })],
    [key, () => byId.remove({ force: true })],
    ['network stranger', () => docker.getNetwork('stranger').remove()],
    ['volume stranger', () => docker.getVolume('stranger').remove()],
  ]
  for (const [what, act] of acts) {
    const before = (await look()).foreign?.get(what)
    expect(before).toBeDefined()
    await act()
    expect((await look()).foreign?.get(what)).not.toBe(before)
  }
})

test('I1: somebody stops what was healthy; nothing is said where it may be down', async () => {
  const stop = () => stage.container('web').stop({ t: 0 })
  expect(await said(stop)).toEqual(['I1: web was healthy, and nothing healthy of it is left'])
  await stage.apply()
  expect(await said(stop, { startFirst: [] })).toEqual([])
})

test('I2: a second one with the same volume', async () => {
  const double = async () => {
    const { Config, Image } = await stage.container('store').inspect()
    const one = await stage.docker.createContainer({
      name: `${stage.name}-store.prev-abc123`,
      Image,
      Cmd: ['sleep', '1000'],
      Labels: Config.Labels,
      HostConfig: { Binds: [`${stage.name}_data:/data`] },
    })
    await one.start()
  }
  expect(await said(double)).toEqual([
    'I2: store runs 2 times: NAME-store, NAME-store.prev-abc123',
    'I2: the volume NAME_data is used by 2 at a time: NAME-store, NAME-store.prev-abc123',
  ])
  await stage.container('store.prev-abc123').remove({ force: true })
})

test('I3: somebody else’s container is stopped, its network goes', async () => {
  const act = async () => {
    await stage.docker.getContainer('stranger').remove({ force: true })
    await stage.docker.getNetwork('stranger').remove()
  }
  const words = await said(act)
  expect(words.some((text) => /^I3: container .* changed: .* → gone$/.test(text))).toBe(true)
  expect(words.some((text) => text.startsWith('I3: network stranger is not ours'))).toBe(true)
})

test('I4: a generation that nobody declared', async () => {
  const act = async () => {
    const { Config, Image } = await stage.container('web').inspect()
    const labels = { ...Config.Labels, 'dev.graft.generation': '9' }
    const name = `${stage.name}-web.next`
    const one = await stage.docker.createContainer({ name, Image, Cmd: ['sleep', '1000'], Labels: labels })
    await one.start()
  }
  expect(await said(act)).toEqual(['I4: web ran generation 9, which no accepted commit declared so'])
  await stage.container('web.next').remove({ force: true })
})

test('I7: a volume goes', async () => {
  const act = async () => {
    await stage.container('store').remove({ force: true })
    await stage.docker.getVolume(`${stage.name}_data`).remove()
  }
  expect(await said(act)).toEqual(['I7: the volume NAME_data is gone'])
})

test('a swap of both breaks nothing', async () => {
  const act = async () => {
    await stage.commit({
      'web.yaml': leaf(2, `touch /tmp/ok; ${FOREVER}`, `${CHECKED}stop_grace_period: 1s\nupdate: {drain: 0s}\n`),
      'store.yaml': leaf(5, FOREVER, 'stop_grace_period: 1s\nvolumes: ["data:/data"]\n'),
    })
    await stage.apply()
  }
  expect(await said(act)).toEqual([])
  expect((await stage.containers())['web']?.generation).toBe('2')
})
