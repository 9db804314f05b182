// A set that is stopped and started again, carried out on the engine in memory.

import { expect, it } from 'vitest'

import type { ImageDefinition } from '../../../src/engine/memory/behaviour.ts'
import { reconcilerOn, settle, standing, watch, wishOf } from '../daemon/memory-stage.ts'
import { hostOf, leaf, treeOf, verdictOn } from './build.ts'

const CHECK = 'healthcheck: {test: [CMD, check], interval: 1s}\nupdate: {deadline: 20s}'

const set = (how: string) =>
  treeOf({
    'set/set.yaml': how,
    'set/db.yaml': leaf(1, `${CHECK}\nenvironment: {NAME: db}`),
    'set/web.yaml': leaf(1, `${CHECK}\ndepends_on: {db: {condition: service_healthy}}`),
  })

it('comes back with the very same containers, in order', async () => {
  const host = await hostOf(set(''), { behaviour: { healthyAfter: 1000 } })
  for (const name of ['db', 'web']) await host.put(set(''), name)
  const ids = async () => (await host.observe(set(''))).containers.map(({ id }) => id)
  const before = await ids()
  await settle(host, wishOf(set('state: stopped\n')))
  expect(standing(host.engine)).toEqual({ db: 'exited g1 no', web: 'exited g1 no' })
  await settle(host, wishOf(set('')))
  expect(standing(host.engine)).toEqual({ db: 'running g1 always', web: 'running g1 always' })
  expect(await ids()).toEqual(before)
  const [db, web] = (await host.observe(set(''))).containers.map(({ startedAt }) => startedAt ?? 0)
  expect((web ?? 0) - (db ?? 0)).toBeGreaterThanOrEqual(1000)
})

it('stops and starts as often as commits say so, without a pause', async () => {
  const host = await hostOf(set(''), { behaviour: { healthyAfter: 1000 } })
  const own = reconcilerOn(host)
  await settle(host, wishOf(set('')), own)
  for (let times = 0; times < 6; times++) {
    await settle(host, wishOf(set('state: stopped\n')), own)
    expect(standing(host.engine)).toEqual({ db: 'exited g1 no', web: 'exited g1 no' })
    await settle(host, wishOf(set('')), own)
    expect(standing(host.engine)).toEqual({ db: 'running g1 always', web: 'running g1 always' })
  }
})

it('stops at once what was mended again and again', async () => {
  const host = await hostOf(set(''), { behaviour: { healthyAfter: 1000 } })
  const own = reconcilerOn(host)
  await settle(host, wishOf(set('')), own)
  for (let times = 0; times < 4; times++) {
    const { containers } = await host.observe(set(''))
    host.engine.pause(containers.find(({ name }) => name === 'web')?.id ?? '')
    await settle(host, wishOf(set('')), own)
  }
  const { turn } = await settle(host, wishOf(set('')), own)
  expect(verdictOn(turn.plan, 'web').because).toMatch(/it had to be mended \d times in a row/)
  await settle(host, wishOf(set('state: stopped\n')), own)
  expect(standing(host.engine)).toEqual({ db: 'exited g1 no', web: 'exited g1 no' })
})

it.each<[string, ImageDefinition['behaviour']]>([
  [
    'exits',
    ({ environment }) => (environment['NAME'] === 'db' ? { exitsAfter: 500, exitCode: 3, healthyAfter: 'never' } : {}),
  ],
  ['never gets healthy', ({ environment }) => (environment['NAME'] === 'db' ? { healthyAfter: 'never' } : {})],
])('starts nothing that depends on one that %s', async (_how, behaviour) => {
  const host = await hostOf(set(''), behaviour === undefined ? {} : { behaviour })
  for (const name of ['db', 'web']) await host.put(set(''), name, { state: 'stopped', policy: 'no' })
  const seen = watch(host.engine, ['web', 'db'])
  await settle(host, wishOf(set('')))
  expect(seen.get('db')?.most).toBe(1)
  expect(seen.get('web')?.most).toBe(0)
})
