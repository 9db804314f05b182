// Launch, upgrade and rollback of whole deployments on a real engine.

import { afterEach, describe, expect, inject, it, vi } from 'vitest'

import { CHECKED, FOREVER, leaf, setStage, type Stage } from '../stage/stage.ts'

let stage: Stage
afterEach(() => stage.end())

const HEALTHY = `touch /tmp/ok; ${FOREVER}`

describe('launch', () => {
  it('starts what others depend on first, and waits for its health', async () => {
    stage = await setStage({ engineUrl: inject('engineUrl') })
    await stage.commit({
      'db/set.yaml': 'description: data\n',
      'db/store.yaml': leaf(1, `sleep 0.5; ${HEALTHY}`, CHECKED),
      'db/schema.yaml': `kind: job\n${leaf(1, 'echo migrated', 'depends_on: {store: {condition: service_healthy}}\n')}`,
      'web/set.yaml': 'depends_on: [db]\n',
      'web/api.yaml': leaf(1, HEALTHY, CHECKED),
    })
    const { results } = await stage.apply()
    const order = results
      .filter(({ table }) => table.leaves.length > 0)
      .map(({ table, outcome }) => `${table.id} ${outcome.kind}`)
    expect(order).toEqual(['store done', 'schema done', 'api done'])
    const containers = await stage.containers()
    expect(
      Object.fromEntries(
        Object.entries(containers).map(([name, { state, restartPolicy }]) => [name, [state, restartPolicy]]),
      ),
    ).toEqual({
      store: ['running', 'always'],
      schema: ['exited', 'no'],
      api: ['running', 'always'],
    })
    expect((await stage.apply()).verdicts).toEqual({ api: 'keep', schema: 'keep', store: 'keep' })
  })
})

describe('upgrade and rollback', () => {
  it('start-first: the new one is healthy before the old one goes; git revert goes back', async () => {
    stage = await setStage({ engineUrl: inject('engineUrl') })
    await stage.commit({ 'api.yaml': leaf(1, HEALTHY, CHECKED) })
    await stage.apply()
    const first = (await stage.containers())['api']
    await stage.commit(
      { 'api.yaml': leaf(2, `sleep 0.4; ${HEALTHY}`, `${CHECKED}environment: {MODE: new}\n`) },
      'api 2',
    )
    const planned = await stage.plan()
    expect(planned.plan.verdicts[0]).toMatchObject({
      kind: 'replace',
      fromGeneration: 1,
      toGeneration: 2,
      order: { kind: 'start-first' },
    })
    expect(planned.plan.verdicts[0]?.changes.map(({ field }) => field)).toEqual(['command', 'environment.MODE'])
    const upgraded = await stage.apply()
    expect(upgraded.results.map(({ outcome, leftovers }) => [outcome.kind, leftovers])).toEqual([['done', []]])
    const second = (await stage.containers())['api']
    expect(second).toMatchObject({ state: 'running', generation: '2', restartPolicy: 'always' })
    expect(second?.id).not.toBe(first?.id)

    await stage.git('revert', '--no-edit', 'HEAD')
    const reverted = await stage.apply()
    expect(reverted.verdicts).toEqual({ api: 'replace' })
    const containers = await stage.containers()
    expect(Object.keys(containers)).toEqual(['api'])
    expect(containers['api']).toMatchObject({ state: 'running', generation: '1' })
  })

  it('stop-first: a leaf with a writable volume never runs twice', async () => {
    stage = await setStage({ engineUrl: inject('engineUrl'), deployment: 'volumes: {data: {}}\n' })
    const volume = 'volumes: ["data:/data"]\n'
    await stage.commit({ 'db.yaml': leaf(1, HEALTHY, CHECKED + volume) })
    await stage.apply()
    await stage.commit({ 'db.yaml': leaf(2, `${HEALTHY} `, `${CHECKED}${volume}environment: {A: b}\n`) })
    const planned = await stage.plan()
    expect(planned.plan.verdicts[0]?.order).toEqual({
      kind: 'stop-first',
      because: `it holds the writable volume ${stage.name}_data`,
    })
    let most = 0
    const watching = setInterval(() => {
      void stage.docker
        .listContainers({ filters: { label: [`dev.graft.deployment=${stage.name}`] } })
        .then((rows) => (most = Math.max(most, rows.length)))
    }, 15)
    const { results } = await stage.apply()
    clearInterval(watching)
    expect(most).toBe(1)
    expect(results.map(({ outcome }) => outcome.kind)).toEqual(['done'])
    expect(results[0]?.gaps.get('db')).toBeGreaterThan(0)
    expect(await stage.containers()).toMatchObject({
      db: { generation: '2', state: 'running', restartPolicy: 'always' },
    })
  })
})

describe('a bad spec leaves the old container as it was', () => {
  const cases = [
    [
      'crash-looping',
      leaf(2, 'echo no such table; exit 3', `${CHECKED}update: {deadline: 10s}\n`),
      'exited with code 3',
    ],
    ['never healthy', leaf(2, FOREVER, `${CHECKED}update: {deadline: 2s}\n`), 'not healthy within 2 s'],
    [
      'no such command',
      `generation: 2\nimage: graft-test/base:1\ncommand: ["/no/such/program"]\n${CHECKED}`,
      '/no/such/program',
    ],
  ] as const

  for (const order of ['start-first', 'stop-first'] as const) {
    it.each(cases)(`${order}: %s`, async (_name, bad, words) => {
      stage = await setStage({ engineUrl: inject('engineUrl'), deployment: 'volumes: {data: {}}\n' })
      const exclusive = order === 'stop-first' ? 'volumes: ["data:/data"]\n' : ''
      await stage.commit({ 'api.yaml': leaf(1, HEALTHY, CHECKED + exclusive) })
      await stage.apply()
      const before = (await stage.containers())['api']
      await stage.commit({ 'api.yaml': bad + exclusive })
      const { results, turn } = await stage.apply()
      expect(results[0]?.outcome).toMatchObject({ kind: 'failed', leaf: 'api' })
      expect(JSON.stringify(results[0]?.outcome)).toContain(words)
      expect(results[0]?.leftovers).toEqual([])
      const after = await stage.containers()
      expect(Object.keys(after).toSorted()).toEqual(['api', 'api.failed'])
      expect(after['api']).toEqual(before)
      expect(after['api.failed']).toMatchObject({ generation: '2', restartPolicy: 'no' })
      expect(turn.plan.verdicts[0]).toMatchObject({
        kind: 'hold',
        because: expect.stringContaining('generation 2 failed before'),
      })
      // Not tried again by another process either, until the leaf changes.
      expect((await stage.apply()).results).toEqual([])
      await stage.git('revert', '--no-edit', 'HEAD')
      expect((await stage.apply()).verdicts).toEqual({ api: 'keep' })
    })
  }

  it('stop-first: an old container that somebody prunes meanwhile is made again, with its files', async () => {
    stage = await setStage({ engineUrl: inject('engineUrl'), deployment: 'volumes: {data: {}}\n' })
    const more = `${CHECKED}volumes: ["data:/data"]\nfiles: {/etc/app/app.conf: ./app.conf}\nhostname: keeps-its-name\n`
    await stage.commit({ 'api.yaml': leaf(1, HEALTHY, more), 'app.conf': 'kept\n' })
    await stage.apply()
    const before = await stage.container('api').inspect()
    // Where its own files lie only the container itself knows by now.
    const moved = more.replace('/etc/app/app.conf', '/etc/app/other.conf')
    await stage.commit({ 'api.yaml': leaf(2, FOREVER, `${moved}update: {deadline: 3s}\n`) })
    const applying = stage.apply()
    await vi.waitFor(async () => expect((await stage.containers())['api.next']?.state).toBe('running'), {
      timeout: 10_000,
    })
    await stage.container('api').remove({ force: true })
    const { results } = await applying
    expect(results[0]).toMatchObject({ outcome: { kind: 'failed' }, leftovers: [] })
    const after = await stage.container('api').inspect()
    expect(after.Id).not.toBe(before.Id)
    expect(after.State.Running).toBe(true)
    // By the image's id: its name may mean another image by now.
    expect(after.Config).toEqual({ ...before.Config, Image: before.Image })
    expect(after.HostConfig).toEqual(before.HostConfig)
    expect(await stage.engine.exec(after.Id, ['/bin/grep', 'kept', '/etc/app/app.conf'], 5_000)).toMatchObject({
      healthy: true,
    })
    await stage.git('revert', '--no-edit', 'HEAD')
    expect((await stage.apply()).verdicts).toEqual({ api: 'keep' })
  })

  it('the log of a crash is in the report', async () => {
    stage = await setStage({ engineUrl: inject('engineUrl') })
    await stage.commit({ 'api.yaml': leaf(1, 'echo no such table; exit 3') })
    const { results } = await stage.apply()
    const result = results.find(({ table }) => table.id === 'api')
    expect(result?.outcome).toMatchObject({ kind: 'failed', log: ['no such table'] })
  })

  it('a missing image is nobody’s fault but the registry’s: the old one stays, and it is tried again', async () => {
    stage = await setStage({ engineUrl: inject('engineUrl') })
    await stage.commit({ 'api.yaml': leaf(1, HEALTHY, CHECKED) })
    await stage.apply()
    const before = await stage.containers()
    await stage.commit({ 'api.yaml': 'generation: 2\nimage: 127.0.0.1:1/nothing/here:2\n' })
    const { results, turn } = await stage.apply()
    expect(results[0]?.outcome).toMatchObject({ kind: 'fault', message: expect.stringContaining('127.0.0.1:1') })
    expect(await stage.containers()).toEqual(before)
    expect(turn.plan.verdicts[0]).toMatchObject({ kind: 'hold', retryAt: expect.any(Number) })
  })
})

describe('jobs', () => {
  it('a job that fails holds its dependents, and only them', async () => {
    stage = await setStage({ engineUrl: inject('engineUrl') })
    await stage.commit({
      'migrate.yaml': `kind: job\n${leaf(1, 'echo column missing; exit 4')}`,
      'api.yaml': leaf(1, HEALTHY, `${CHECKED}depends_on: {migrate: {condition: service_completed_successfully}}\n`),
      'other.yaml': leaf(1, HEALTHY, CHECKED),
    })
    const { results, turn } = await stage.apply()
    expect(results.find(({ table }) => table.id === 'migrate')?.outcome).toEqual({
      kind: 'failed',
      leaf: 'migrate',
      message: 'exited with code 4',
      log: ['column missing'],
    })
    const containers = await stage.containers()
    expect(Object.keys(containers).toSorted()).toEqual(['migrate.failed', 'other'])
    const api = turn.plan.verdicts.find(({ leaf }) => leaf === 'api')
    expect(api).toMatchObject({ kind: 'hold', because: expect.stringContaining('waits for the job migrate') })

    await stage.commit({ 'migrate.yaml': `kind: job\n${leaf(2, 'echo fine')}` })
    await stage.apply()
    expect(Object.keys(await stage.containers()).toSorted()).toEqual(['api', 'migrate', 'migrate.failed', 'other'])
  })

  it('a job runs once per generation, and a rollback does not run an old one again', async () => {
    stage = await setStage({ engineUrl: inject('engineUrl'), deployment: 'volumes: {data: {}}\n' })
    const job = (generation: number) =>
      `kind: job\n${leaf(generation, `echo ran ${generation} >> /data/log; cat /data/log`, 'volumes: ["data:/data"]\n')}`
    await stage.commit({ 'migrate.yaml': job(1) })
    await stage.apply()
    await stage.commit({ 'migrate.yaml': job(2) })
    expect((await stage.apply()).verdicts).toEqual({ migrate: 'run' })
    await stage.git('revert', '--no-edit', 'HEAD')
    expect((await stage.apply()).verdicts).toEqual({ migrate: 'keep' })
    await stage.container('migrate').remove({ force: true })
    expect((await stage.apply()).verdicts).toEqual({ migrate: 'keep' })
  })
})
