// The daemon in virtual time, on a real Git history and the engine in memory.

import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'

import { EngineFault, type Engine } from '../../../src/apply/engine.ts'
import { accept } from '../../../src/daemon/accept.ts'
import { createHistoryIndex } from '../../../src/daemon/history-index.ts'
import { startDaemon, type Daemon } from '../../../src/daemon/loop.ts'
import { createOutcomeRecorder } from '../../../src/daemon/outcome-recorder.ts'
import type { News } from '../../../src/daemon/news.ts'
import type { Deployment } from '../../../src/daemon/open-deployment.ts'
import { settingsSchema } from '../../../src/daemon/settings.ts'
import { openStateFolder } from '../../../src/daemon/state-folder.ts'
import { NO_POLICY } from '../../../src/desired/policy.ts'
import { createReader } from '../../../src/desired/read.ts'
import type { OutcomeRecord } from '../../../src/report/outcome-record.ts'
import { RepositoryFault } from '../../../src/repository/repository.ts'
import { hostOf, leaf, treeOf, type Host } from '../plan/build.ts'
import { reconcilerOn, standing } from './memory-stage.ts'
import { nativeRepository, type NativeRepository } from './native-repository.ts'

// Many runs each; a busy machine takes its time.
vi.setConfig({ testTimeout: 60_000 })

let repository: NativeRepository
let host: Host
let running: { daemon: Daemon; abort: AbortController }[] = []
/** Commits that signatures stand against. */
let refusedTips = new Set<string>()
let keepAccepted: () => Promise<void>
/** Whether the host's files allow privileges. */
let generous = true
let lastTip: string | null = null
beforeEach(async () => {
  repository = nativeRepository()
  refusedTips = new Set()
  keepAccepted = () => Promise.resolve()
  generous = true
  lastTip = null
  host = await hostOf(treeOf({}))
  for (let i = 1; i <= 5; i++) host.engine.publish(`app:${i}`, {})
})
afterEach(async () => {
  for (const { daemon, abort } of running) {
    abort.abort()
    await host.clock.run(daemon.ended)
  }
  running = []
  repository.sandbox.remove()
})

const noBook: Deployment['book'] = {
  read: () => Promise.resolve(new Map()),
  record: () => Promise.resolve(),
  catchUp: () => undefined,
  settled: () => Promise.resolve(true),
  onFault: () => undefined,
  close: () => Promise.resolve(),
}

async function deploymentOf(): Promise<Deployment> {
  const state = await openStateFolder(repository.sandbox.path('.git', 'graft-state'))
  const settings = { ...settingsSchema.parse({}), repo: repository.sandbox.folder, state: state.root }
  const history = createHistoryIndex(repository, createReader(), null)
  const reader = createReader()
  const none = { variables: new Map<string, string>(), trustedKeys: null, problems: [] }
  const judge: Deployment['judge'] = async (commit) => {
    const snapshot = await repository.snapshot(commit)
    const judged = await accept(snapshot, commit, {
      reader,
      history,
      policy: NO_POLICY,
      allowPrivileged: generous,
      hostVariables: new Map(),
      deepen: () => repository.deepen(),
    })
    return { ...judged, commit: snapshot.commit, admitted: true }
  }
  return {
    settings,
    state,
    repository,
    history,
    lastTip: { read: () => Promise.resolve(lastTip), keep: () => Promise.resolve() },
    hostFiles: () => Promise.resolve({ policy: NO_POLICY, ...none, fingerprint: String(generous) }),
    accepted: { file: '', read: () => Promise.resolve(null), keep: () => keepAccepted() },
    judge,
    judgeTip: async ({ id }, host) => {
      const judgement = await judge(id, host)
      return refusedTips.has(id) ? { ...judgement, tree: null, admitted: false } : judgement
    },
    async lastGood(tip, host) {
      const id = await history.lastReadable(tip.id)
      const found = id === null ? null : await judge(id, host)
      return found === null || found.tree === null ? null : { ...found, tree: found.tree }
    },
    judgeOnto: () => Promise.reject(new Error('no other history')),
    judgeWorktree: () => Promise.reject(new Error('no work tree')),
    host: 'alpha',
    book: noBook,
    outcomes: () => Promise.resolve(new Map()),
    wish: ({ tree, refused, departed }) => ({
      tree,
      refused,
      departed,
      removals: { limit: () => 100, confirmed: false },
      bind: () => Promise.resolve(),
    }),
    bound: () => Promise.resolve(null),
    unbind: () => Promise.resolve(),
    close: () => Promise.resolve(),
  }
}

async function start(engine: Engine = host.engine, stillOurs = () => Promise.resolve()) {
  const abort = new AbortController()
  const news: News[] = []
  let wake = () => {}
  const outcomes: OutcomeRecord[] = []
  const recorder = createOutcomeRecorder({
    host: 'alpha',
    deployment: () => 'shop',
    now: () => host.clock.now(),
    before: () => Promise.resolve(null),
    onPending: () => undefined,
    onOutcome: (record) => outcomes.push(record),
  })
  const reconciler = reconcilerOn(host, engine, { onChange: () => wake(), onResult: recorder.noteResult })
  const options = {
    deployment: await deploymentOf(),
    engine,
    reconciler,
    clock: host.clock,
    signal: abort.signal,
    probed: () => new Map<string, boolean>(),
    tell: (one: News) => news.push(one),
    onTurn: () => undefined,
    stillOurs,
    recorder,
  }
  const daemon = startDaemon(options, (waking) => (wake = waking))
  running.push({ daemon, abort })
  const told = () => news.filter(({ kind }) => kind !== 'turn').map(({ kind }) => kind)
  return { daemon, abort, news, told, outcomes, turns: () => news.filter(({ kind }) => kind === 'turn').length }
}

const within = (seconds: number) => host.clock.advance(seconds * 1000)

describe('the daemon', () => {
  it('brings up what a commit says, and follows a newer one', async () => {
    repository.commit({ web: leaf(1), api: leaf(1, 'depends_on: [web]') })
    const { told, daemon } = await start()
    await within(15)
    expect(standing(host.engine)).toEqual({ api: 'running g1 always', web: 'running g1 always' })
    repository.commit({ web: leaf(2) })
    repository.hint()
    await within(20)
    expect(standing(host.engine)).toEqual({ api: 'running g1 always', web: 'running g2 always' })
    expect(told()).toEqual(['commit', 'commit'])
    expect(daemon.status()).toMatchObject({ deployment: 'shop', problems: [], engine: { reachable: true } })
  })

  it('tells what came of each commit: deployed, refused, superseded, failed', async () => {
    const ids = [repository.commit({ web: leaf(1) })]
    const { outcomes } = await start()
    await within(20)
    ids.push(repository.commit({ web: 'generation: [' }))
    await within(20)
    host.engine.publish('app:2', { behaviour: { healthyAfter: 500_000 } })
    const check = 'healthcheck: {test: [CMD, ok], interval: 60s}\nupdate: {deadline: 10m}'
    ids.push(repository.commit({ web: leaf(2, check) }))
    await within(20)
    host.engine.publish('app:3', { behaviour: { exitsAfter: 100, exitCode: 1 } })
    ids.push(repository.commit({ web: leaf(3) }))
    await within(30)
    ids.push(repository.commit({ web: leaf(1) }))
    await within(30)
    const told = outcomes.map(({ commit, result, leaves }) => [
      commit,
      result,
      leaves.map(({ result: how }) => how).join(),
    ])
    expect(told).toEqual([
      [ids[0], 'deployed', 'created'],
      [ids[1], 'refused', ''],
      [ids[2], 'superseded', ''],
      [ids[3], 'failed', 'failed'],
      [ids[4], 'deployed', ''],
    ])
    // What is mended by itself is no outcome.
    await host.engine.remove('web')
    await within(600)
    expect(outcomes).toHaveLength(5)
  })

  it('removes everything only for whom approved this commit and what it saw, and asks again for the next one', async () => {
    repository.commit({ web: leaf(1), api: leaf(1) })
    const { daemon, news } = await start()
    await within(20)
    const id = repository.commit({ web: null, api: null })
    await within(30)
    const held = daemon.status().removalHeld
    expect(held).toMatchObject({ because: 'empty', names: ['api', 'web'] })
    expect(news.find(({ kind }) => kind === 'removals-held')).toMatchObject({ commit: id })
    expect(daemon.approve('0'.repeat(40), held?.digest ?? '')).toBe(false)
    expect(daemon.approve(id, '000000000000')).toBe(false)
    const later = repository.commit({ 'deployment.yaml': 'name: shop\nformat: 1\nvariables: {a: b}\n' })
    await within(30)
    expect(daemon.approve(id, held?.digest ?? '')).toBe(false)
    expect(Object.keys(standing(host.engine))).toEqual(['api', 'web'])
    expect(daemon.approve(later, daemon.status().removalHeld?.digest ?? '')).toBe(true)
    await within(30)
    expect(standing(host.engine)).toEqual({})
  })

  it('still knows what was approved when the same commit is judged anew', async () => {
    repository.commit({ web: leaf(1), api: leaf(1) })
    let refuses = true
    const engine: Engine = {
      ...host.engine,
      remove: async (id) => {
        if (refuses && id === (await host.engine.inspect('api'))?.id) throw new EngineFault('engine', 'busy', '')
        return host.engine.remove(id)
      },
    }
    const { daemon } = await start(engine)
    await within(20)
    const id = repository.commit({ web: null, api: null })
    await within(30)
    expect(daemon.approve(id, daemon.status().removalHeld?.digest ?? '')).toBe(true)
    await within(1)
    expect(standing(host.engine)).toEqual({ api: 'exited g1 no' })
    generous = false
    daemon.wake('SIGHUP')
    await within(5)
    expect(daemon.status().removalHeld).toBeNull()
    refuses = false
    await within(60)
    expect(standing(host.engine)).toEqual({})
  })

  it('finds a commit that no hint told of', async () => {
    repository.commit({ web: leaf(1) })
    await start()
    await within(10)
    repository.commit({ web: leaf(2) })
    await within(30)
    expect(standing(host.engine)).toEqual({ web: 'running g2 always' })
  })

  it('is quiet when there is nothing to do', async () => {
    repository.commit({ web: leaf(1) })
    const { turns } = await start()
    await within(30)
    const before = turns()
    await within(600)
    expect(turns() - before).toBeLessThanOrEqual(11)
  })

  it('mends what somebody did as soon as an event tells of it', async () => {
    repository.commit({ web: leaf(1) })
    await start()
    await within(20)
    const web = await host.engine.inspect('web')
    await host.engine.stop(web?.id ?? '')
    await within(2)
    expect(standing(host.engine)).toEqual({ web: 'running g1 always' })
  })

  it('keeps the last good commit running when one does not read, and says so', async () => {
    const good = repository.commit({ web: leaf(1) })
    const { told, news, daemon } = await start()
    await within(20)
    repository.commit({ web: 'generation: [' })
    repository.hint()
    await within(20)
    expect(told()).toEqual(['commit', 'commit', 'unreadable'])
    expect(news.find(({ kind }) => kind === 'unreadable')).toMatchObject({ kept: good })
    expect(standing(host.engine)).toEqual({ web: 'running g1 always' })
    expect(daemon.status().commit?.id).toBe(good)
    expect(daemon.status().problems).toHaveLength(1)
    // What runs is still looked after.
    await host.engine.remove('web')
    await within(10)
    expect(standing(host.engine)).toEqual({ web: 'running g1 always' })
  })

  it('keeps the last good commit running when signatures stand against a newer one', async () => {
    const good = repository.commit({ web: leaf(1) })
    const { told, news, daemon } = await start()
    await within(20)
    const unsigned = repository.commit({ web: leaf(2) })
    refusedTips.add(unsigned)
    repository.hint()
    await within(20)
    expect(told()).toEqual(['commit', 'commit', 'not-admitted'])
    expect(news.find(({ kind }) => kind === 'not-admitted')).toMatchObject({ kept: good, commit: { id: unsigned } })
    expect(standing(host.engine)).toEqual({ web: 'running g1 always' })
    expect(daemon.status().commit?.id).toBe(good)
    repository.commit({ web: leaf(3) })
    repository.hint()
    await within(20)
    expect(standing(host.engine)).toEqual({ web: 'running g3 always' })
  })

  it('takes a privilege away that the host no longer grants, also while the newest commit does not read', async () => {
    repository.commit({ web: leaf(1, 'privileged: true') })
    const { daemon } = await start()
    await within(20)
    expect(standing(host.engine)).toEqual({ web: 'running g1 always' })
    generous = false
    repository.commit({ web: 'generation: [' })
    repository.hint()
    await within(20)
    await host.engine.remove('web')
    await within(30)
    expect(standing(host.engine)).toEqual({})
    expect(daemon.status().tree).not.toBeNull()
  })

  it('takes it away while the repository is away, too', async () => {
    repository.commit({ web: leaf(1, 'privileged: true') })
    const { daemon } = await start()
    await within(20)
    const away = new RepositoryFault('unreachable', 'no route', 'Look at the network')
    Object.assign(repository, { refresh: () => Promise.reject(away) })
    generous = false
    await within(60)
    expect(daemon.status().repository.fault?.message).toBe('no route')
    await host.engine.remove('web')
    await within(30)
    expect(standing(host.engine)).toEqual({})
  })

  it('goes on after a second failure while the repository is away at the start', async () => {
    const id = repository.commit({ web: leaf(1) })
    const { refresh } = repository
    const away = new RepositoryFault('unreachable', 'the server is away', 'Wait')
    Object.assign(repository, { refresh: () => Promise.reject(away) })
    lastTip = id
    keepAccepted = () => Promise.reject(new Error('no space left'))
    const { daemon } = await start()
    await within(5)
    expect(daemon.status().repository.fault?.message).toBe('the server is away')
    Object.assign(repository, { refresh })
    keepAccepted = () => Promise.resolve()
    await within(200)
    expect(standing(host.engine)).toEqual({ web: 'running g1 always' })
  })

  it('tries again where the accepted commit could not be written down', async () => {
    repository.commit({ web: leaf(1) })
    let full = true
    keepAccepted = () => (full ? Promise.reject(new Error('no space left')) : Promise.resolve())
    const { daemon } = await start()
    await within(5)
    expect(daemon.status().repository.fault?.message).toBe('no space left')
    full = false
    await within(90)
    expect(standing(host.engine)).toEqual({ web: 'running g1 always' })
  })

  it('started on a commit that does not read, takes the newest that does', async () => {
    const good = repository.commit({ web: leaf(1) })
    repository.commit({ web: 'generation: [' })
    repository.commit({ web: 'image: 3' })
    const { daemon } = await start()
    await within(20)
    expect(standing(host.engine)).toEqual({ web: 'running g1 always' })
    expect(daemon.status().commit?.id).toBe(good)
  })

  it('does nothing at all where no commit ever read', async () => {
    repository.commit({ web: 'generation: [' })
    repository.git('checkout', '-q', '--orphan', 'alone')
    repository.commit({ 'deployment.yaml': 'name: [' })
    const { told } = await start()
    await within(20)
    expect(told()).toEqual(['commit', 'unreadable'])
    expect(standing(host.engine)).toEqual({})
  })

  it('holds a leaf that the ledger refuses, and what runs goes on', async () => {
    repository.commit({ web: leaf(1) })
    const { told } = await start()
    await within(20)
    repository.commit({ web: leaf(1, 'environment: {NEW: x}'), api: leaf(1) })
    repository.hint()
    await within(20)
    expect(told()).toEqual(['commit', 'commit', 'problems', 'held'])
    expect(standing(host.engine)).toEqual({ api: 'running g1 always', web: 'running g1 always' })
  })

  it('says once that the repository is away, once that it is back, and looks after what runs meanwhile', async () => {
    repository.commit({ web: leaf(1) })
    const { told, daemon } = await start()
    await within(20)
    repository.fail(new RepositoryFault('unreachable', 'no route', 'Look at the network'))
    await within(60)
    expect(daemon.status().repository.fault).toEqual({ message: 'no route', remedy: 'Look at the network' })
    await host.engine.remove('web')
    await within(10)
    expect(standing(host.engine)).toEqual({ web: 'running g1 always' })
    repository.fail(null)
    await within(120)
    expect(told()).toEqual(['commit', 'repository-fault', 'repository-back'])
    expect(daemon.status().repository.fault).toBeNull()
  })

  it('says once that the engine is away, once that it is back, and goes on', async () => {
    repository.commit({ web: leaf(1) })
    let away = false
    const shy = new Proxy<Engine>(host.engine, {
      get(target, key, receiver) {
        const value: unknown = Reflect.get(target, key, receiver)
        if (!away || typeof value !== 'function' || key === 'events') return value
        return () => Promise.reject(new EngineFault('unreachable', 'no engine', 'Start it'))
      },
    })
    const { told, daemon } = await start(shy)
    await within(20)
    away = true
    await host.engine.remove('web')
    await within(120)
    expect(daemon.status().engine).toMatchObject({ reachable: false, message: 'no engine' })
    away = false
    await within(90)
    expect(told()).toEqual(['commit', 'engine-fault', 'engine-back'])
    expect(standing(host.engine)).toEqual({ web: 'running g1 always' })
  })

  it('looks at once when an engine is back that was away for long', async () => {
    repository.commit({ web: leaf(1) })
    let away = false
    const gone: Engine = new Proxy(host.engine, {
      get(target, key, receiver) {
        const value: unknown = Reflect.get(target, key, receiver)
        if (!away || typeof value !== 'function') return value
        return () => {
          throw new EngineFault('unreachable', 'no engine', 'Start it')
        }
      },
    })
    const { daemon } = await start(gone)
    await within(20)
    away = true
    host.engine.restart({ liveRestore: true })
    await host.engine.remove('web')
    // Not where the two loops meet.
    await within(300.5)
    expect(daemon.status().engine.reachable).toBe(false)
    away = false
    await within(5)
    expect(daemon.status().engine.reachable).toBe(true)
    expect(standing(host.engine)).toMatchObject({ web: 'running g1 always' })
  })

  it('does nothing while another graft looks after the deployment', async () => {
    repository.commit({ web: leaf(1) })
    let theirs = true
    const { told } = await start(host.engine, () =>
      theirs ? Promise.reject(new EngineFault('engine', 'another graft has the lock', 'End it')) : Promise.resolve(),
    )
    await within(120)
    expect(standing(host.engine)).toEqual({})
    theirs = false
    await within(120)
    expect(standing(host.engine)).toEqual({ web: 'running g1 always' })
    expect(told()).toEqual(['commit', 'engine-fault', 'engine-back'])
  })

  it('does not try a generation again that failed, and does when it changes', async () => {
    repository.commit({ web: leaf(1) })
    const { turns } = await start()
    await within(20)
    host.engine.publish('app:2', { behaviour: { exitsAfter: 100, exitCode: 1 } })
    repository.commit({ web: leaf(2) })
    repository.hint()
    await within(60)
    expect(standing(host.engine)).toEqual({ web: 'running g1 always', 'web.failed': 'exited g2 no' })
    const failed = await host.engine.inspect('web.failed')
    const before = turns()
    await within(600)
    expect((await host.engine.inspect('web.failed'))?.id).toBe(failed?.id)
    expect(turns() - before).toBeLessThanOrEqual(11)
    repository.commit({ web: leaf(3) })
    await within(30)
    expect(standing(host.engine)['web']).toBe('running g3 always')
  })

  it('tries a missing image again with growing pauses, and runs it once it is there', async () => {
    const { turns } = await start()
    host.engine.publish('app:4', null)
    repository.commit({ web: leaf(4) })
    await within(900)
    expect(turns()).toBeLessThan(60)
    host.engine.publish('app:4', {})
    await within(320)
    expect(standing(host.engine)).toEqual({ web: 'running g4 always' })
  })

  it('a newer commit wins over a candidate at its gate', async () => {
    repository.commit({ web: leaf(1) })
    await start()
    await within(20)
    const check = 'healthcheck: {test: [CMD, ok], interval: 60s}\nupdate: {deadline: 10m}'
    host.engine.publish('app:2', { behaviour: { healthyAfter: 500_000 } })
    repository.commit({ web: leaf(2, check) })
    await within(30)
    expect(standing(host.engine)).toMatchObject({ 'web.next': 'running g2 no' })
    repository.commit({ web: leaf(3, check) })
    await within(30)
    expect(standing(host.engine)).toEqual({ web: 'running g3 always' })
  })

  it('ends with a candidate at its gate taken back', async () => {
    repository.commit({ web: leaf(1) })
    const { abort, daemon } = await start()
    await within(20)
    host.engine.publish('app:2', { behaviour: { healthyAfter: 500_000 } })
    repository.commit({ web: leaf(2, 'healthcheck: {test: [CMD, ok], interval: 60s}\nupdate: {deadline: 10m}') })
    await within(30)
    abort.abort()
    await host.clock.run(daemon.ended)
    running = []
    expect(standing(host.engine)).toEqual({ web: 'running g1 always' })
  })

  it('restarts what somebody asks for, and tells how far it is', async () => {
    repository.commit({ web: leaf(1) })
    const { daemon, told } = await start()
    await within(15)
    const before = (await host.engine.inspect('web'))?.id
    expect(daemon.restart('wbe')).toMatchObject({ remedy: 'did you mean web?' })
    expect(daemon.restart('web')).toEqual({ leaves: ['web'] })
    await within(20)
    const after = await host.engine.inspect('web')
    expect(after?.id).not.toBe(before)
    expect(standing(host.engine)).toEqual({ web: 'running g1 always' })
    expect(daemon.status().tree?.leaves[0]?.restart).toMatchObject({ state: 'done', message: null })
    expect(told()).toContain('restart')
  })

  it('tells when what runs becomes unhealthy, once', async () => {
    host.engine.publish('app:1', { behaviour: { sickAfter: 60_000 } })
    repository.commit({
      web: leaf(1, 'on_unhealthy: ignore\nhealthcheck: {test: [CMD, ok], interval: 1s, retries: 2}'),
    })
    const { news } = await start()
    await within(50)
    const told = () => news.filter(({ kind }) => kind === 'health')
    expect(told()).toEqual([])
    await within(130)
    expect(told()).toEqual([expect.objectContaining({ leaf: 'web', healthy: false, ignored: true })])
  })
})
