// Restarts that somebody asked for: who is meant, in what order they go, and when one is done.

import { describe, expect, it } from 'vitest'

import { EngineFault, type Engine } from '../../../src/apply/engine.ts'
import { chooseForRestart, createRestarts } from '../../../src/daemon/restarts.ts'
import { hostOf, job, leaf, treeOf } from '../plan/build.ts'
import { reconcilerOn, settle, standing, wishOf } from './memory-stage.ts'

const CHECK = 'healthcheck: {test: [CMD, ok], interval: 1s}\nupdate: {drain: 0s}'
const tree = treeOf({
  'web/set.yaml': '',
  'web/page.yaml': leaf(1, 'depends_on: [api]'),
  'web/api.yaml': leaf(1),
  'web/once.yaml': job(1),
  'off/set.yaml': 'state: stopped\n',
  'off/idle.yaml': leaf(1),
  'off/web/set.yaml': '',
  'off/web/deep.yaml': leaf(1),
  'db/set.yaml': 'suspend: true\n',
  'db/sql.yaml': leaf(1),
})

describe('who is meant', () => {
  it.each([
    ['page', ['page']],
    ['off/web/', null],
    ['web', ['api', 'page']],
    ['off/web', null],
  ])('%s', (asked, leaves) => {
    const chosen = chooseForRestart(tree, asked)
    if (leaves !== null) expect(chosen).toEqual({ leaves })
    else expect(chosen).toHaveProperty('message')
  })

  it('a set means its containers in launch order, without jobs', () => {
    const alone = treeOf({
      'web/set.yaml': '',
      'web/page.yaml': leaf(1, 'depends_on: [api]'),
      'web/api.yaml': leaf(1),
      'web/once.yaml': job(1),
    })
    for (const asked of ['web', 'web/', '.', 'shop']) {
      expect(chooseForRestart(alone, asked)).toEqual({ leaves: ['api', 'page'] })
    }
  })

  it.each([
    ['once', 'is a job', 'generation'],
    ['idle', 'its set is stopped', 'graft start'],
    ['off', 'its set is stopped', 'graft start'],
    ['sql', 'its set is suspended', 'suspend: true'],
    ['pgae', 'no leaf and no set pgae', 'did you mean page?'],
    ['web', 'more than one set', 'off/web, on/web'],
  ])('%s is refused with words', (asked, message, remedy) => {
    const chosen = chooseForRestart(treeOf(asked === 'web' ? TWO : ONE), asked)
    expect(chosen).toEqual({ message: expect.stringContaining(message), remedy: expect.stringContaining(remedy) })
  })

  const ONE = {
    'shop/set.yaml': '',
    'shop/page.yaml': leaf(1),
    'shop/once.yaml': job(1),
    'off/set.yaml': 'state: stopped\n',
    'off/idle.yaml': leaf(1),
    'db/set.yaml': 'suspend: true\n',
    'db/sql.yaml': leaf(1),
  }
  const TWO = { 'on/set.yaml': '', 'on/web/set.yaml': '', 'off/set.yaml': '', 'off/web/set.yaml': '' }
})

describe('a request', () => {
  const three = treeOf({ aa: leaf(1), bb: leaf(1), cc: leaf(1) })

  it('goes one after the other, each until another container is live', () => {
    const live = new Map(['aa', 'bb', 'cc'].map((name) => [name, `${name}1`]))
    const restarts = createRestarts()
    const due = () => [...restarts.due(three, (name) => live.get(name) ?? null)]
    restarts.ask(['aa', 'bb'], 7)
    expect(due()).toEqual(['aa'])
    expect(due()).toEqual(['aa'])
    live.set('aa', 'aa2')
    expect(due()).toEqual(['bb'])
    live.set('bb', 'bb2')
    expect(due()).toEqual([])
    expect([...restarts.states()]).toEqual([
      ['aa', { state: 'done', message: null, at: 7 }],
      ['bb', { state: 'done', message: null, at: 7 }],
    ])
  })

  it('ends at the first that fails, and at one that a plan refuses', () => {
    const restarts = createRestarts()
    restarts.ask(['aa', 'bb'], 0)
    restarts.due(three, () => 'x')
    restarts.failed('aa', 'exited with code 1')
    expect([...restarts.due(three, () => 'x')]).toEqual([])
    expect(Object.fromEntries(restarts.states())).toMatchObject({
      aa: { state: 'failed', message: 'exited with code 1' },
      bb: { state: 'left', message: 'aa failed before it' },
    })
  })

  it('leaves what does not run, or is gone', () => {
    const restarts = createRestarts()
    restarts.ask(['aa', 'bb'], 0)
    expect([...restarts.due(treeOf({ bb: leaf(1) }), () => null)]).toEqual([])
    expect(restarts.states().get('aa')?.message).toContain('gone')
    expect(restarts.states().get('bb')?.message).toContain('does not run')
  })

  it('takes members of a set that switches together at once', () => {
    const together = treeOf({
      'web/set.yaml': 'update: {together: true}\n',
      'web/aa.yaml': leaf(1),
      'web/inner/set.yaml': '',
      'web/inner/bb.yaml': leaf(1),
      cc: leaf(1),
    })
    const restarts = createRestarts()
    restarts.ask(['aa', 'cc', 'bb'], 0)
    expect([...restarts.due(together, (name) => name)]).toEqual(['aa', 'bb'])
  })
})

describe('on an engine', () => {
  it('every leaf gets one new container of the same generation, never two at a time', async () => {
    const two = treeOf({ aa: leaf(1, CHECK), bb: leaf(1, CHECK) })
    const host = await hostOf(two)
    const before = [await host.put(two, 'aa'), await host.put(two, 'bb')]
    const own = reconcilerOn(host)
    own.restart(['bb', 'aa'])
    const { results } = await settle(host, wishOf(two), own)
    expect(results.map(({ table, outcome }) => [table.leaves, outcome.kind])).toEqual([
      [['bb'], 'done'],
      [['aa'], 'done'],
    ])
    expect(standing(host.engine)).toEqual({ aa: 'running g1 always', bb: 'running g1 always' })
    for (const id of before) expect(await host.engine.inspect(id)).toBeNull()
    expect([...own.restarts().values()].map(({ state }) => state)).toEqual(['done', 'done'])
  })

  it('one that fails its gate keeps the old container, and is not tried again', async () => {
    const one = treeOf({ aa: leaf(1, CHECK), bb: leaf(1, CHECK) })
    const host = await hostOf(one)
    const aa = await host.put(one, 'aa')
    await host.put(one, 'bb')
    const failing = new Proxy<Engine>(host.engine, {
      get(target, key, receiver) {
        if (key !== 'start') return Reflect.get(target, key, receiver) as unknown
        return () => Promise.reject(new EngineFault('start-failed', 'exec: "serve": not found', ''))
      },
    })
    const own = reconcilerOn(host, failing)
    own.restart(['aa', 'bb'])
    await settle(host, wishOf(one), own)
    expect((await host.engine.inspect(aa))?.name).toBe('aa')
    expect(own.restarts().get('aa')?.state).toBe('failed')
    expect(own.restarts().get('bb')?.state).toBe('left')
  })
})
