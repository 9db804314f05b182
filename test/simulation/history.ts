// One simulated history: a repository, an engine in memory and whole daemons of graft, through everything that its
// steps say, watched all the way; then the faults stop, and what was asked for last must come about.

import { accept } from '../../src/daemon/accept.ts'
import { createHealthWatch } from '../../src/daemon/health-watch.ts'
import { createHistoryIndex } from '../../src/daemon/history-index.ts'
import { startDaemon, type Daemon } from '../../src/daemon/loop.ts'
import type { Deployment } from '../../src/daemon/open-deployment.ts'
import { settingsSchema } from '../../src/daemon/settings.ts'
import { createReconciler } from '../../src/daemon/reconcile.ts'
import { NO_POLICY } from '../../src/desired/policy.ts'
import { createReader } from '../../src/desired/read.ts'
import type { Tree } from '../../src/desired/tree.ts'
import { claimedElsewhere } from '../../src/engine/memory/claims.ts'
import { virtualClock } from '../../src/engine/memory/clock.ts'
import { memoryEngine } from '../../src/engine/memory/memory-engine.ts'
import { labelsOf, type MemoryContainer } from '../../src/engine/memory/world.ts'
import { watchInvariants, type Violation } from '../invariants/invariants.ts'
import { lookAtWorld } from '../invariants/look-memory.ts'
import { memoryRepository } from '../unit/cli/memory-repository.ts'
import { runDigest } from '../unit/plan/build.ts'
import { startProcess, type CallFault, type Process, type Weather } from './faulty-engine.ts'
import {
  behaviour,
  changes,
  filesOf,
  firstState,
  heldLeaves,
  isExclusive,
  isJoined,
  isSound,
  isStartFirst,
  LEAVES,
  otherPort,
  placeOf,
  type LeafState,
  type SiteState,
} from './site.ts'
import type { Step } from './steps.ts'

export interface Ended {
  readonly violations: readonly Violation[]
  readonly calls: number
  readonly faults: number
  readonly deaths: number
  readonly turns: number
  /** Virtual milliseconds from the end of the faults until all was as wished. */
  readonly settledIn: number | null
  readonly story: readonly string[]
}

/** Calls that take something down. */
const TAKES_DOWN: ReadonlySet<string> = new Set(['stop', 'remove'])
const CHANGES: ReadonlySet<string> = new Set([
  'start',
  'stop',
  'unpause',
  'setRestartPolicy',
  'updateLimits',
  'rename',
  'remove',
  'connect',
  'disconnect',
  'putFiles',
])
/** Commits that graft may still be acting on: a table that has begun goes on for its deadline and its drain. */
const IN_HAND = 400_000
/** Turns of a daemon in one minute. */
const MOST_TURNS = 600
/** Whether the story tells each call and each verdict, too. */
const TRACED = process.env['GRAFT_SIMULATION_CALLS'] !== undefined
const PATIENCE = 45 * 60_000

export async function live(steps: readonly Step[]): Promise<Ended> {
  const clock = virtualClock()
  const engine = memoryEngine({ clock })
  engine.addImage('app:1', { behaviour, facts: { healthcheck: null } })
  engine.addForeign('somebody', 'other:1')
  engine.addForeign('shop-else', 'other:2')
  const world = engine.world()

  let site: SiteState = firstState()
  let files = filesOf(site)
  const repository = memoryRepository(Object.fromEntries(files))
  const highest = new Map(LEAVES.map((leaf) => [leaf, 1]))
  const past = new Map<string, LeafState[]>([...site.leaves].map(([leaf, state]) => [leaf, [state]]))
  const story: string[] = []
  const tell = (text: string): void => void story.push(`${((clock.steady() - begun) / 1000).toFixed(2)} s  ${text}`)
  const begun = clock.steady()

  // What commits ever meant, and which of them graft may be acting on.
  const digests = new Map<string, Set<string>>()
  const wishes: { at: number; running: ReadonlySet<string> }[] = []
  const noteTree = (tree: Tree): void => {
    for (const leaf of tree.leaves.values()) {
      const known = digests.get(leaf.name) ?? new Set()
      known.add(`${leaf.generation} ${runDigest(leaf)}`)
      digests.set(leaf.name, known)
    }
  }
  const noteWish = (): void => {
    const running = [...site.leaves.keys()].filter((leaf) => !site.stopped.has(placeOf(leaf).set))
    wishes.push({ at: clock.steady(), running: new Set(running) })
  }
  noteWish()

  const watch = watchInvariants(
    {
      deployment: 'shop',
      isStartFirst,
      isExclusive,
      isWanted(leaf) {
        const recent = wishes.filter(({ at }, index) => {
          const until = wishes[index + 1]?.at ?? Number.POSITIVE_INFINITY
          return until > clock.steady() - IN_HAND || at > clock.steady() - IN_HAND
        })
        return recent.every(({ running }) => running.has(leaf))
      },
      isAccepted: (leaf, generation, digest) => digests.get(leaf)?.has(`${generation} ${digest}`) === true,
      isData: (volume) => ['shop_db', 'shop_queue', 'shop_store'].includes(volume),
    },
    { continuity: false },
  )
  const look = () => lookAtWorld(world, 'shop')
  world.listeners.add(() => watch.see(look()))

  // The weather: what befalls calls and events.
  let callFaults: CallFault[] = []
  let gap = 0
  let nextIn = 0
  let eventFault: { how: 'late' | 'twice' | 'never'; left: number } | null = null
  let awayUntil = 0
  const weather: Weather = {
    isAway: () => clock.steady() < awayUntil,
    fault() {
      if (callFaults.length === 0 || nextIn-- > 0) return null
      nextIn = gap
      return callFaults.shift() ?? null
    },
    event() {
      if (eventFault === null) return null
      const { how } = eventFault
      if (--eventFault.left <= 0) eventFault = null
      return how
    },
  }

  // Tries of specs that cannot come up, and what else happened meanwhile (I6).
  const tries = new Map<string, { count: number; disturbedBefore: number }>()
  let disturbances = 0
  // A candidate that somebody stops at its gate has failed there: leaf → generation.
  const givenPolicy = new Set<string>()
  /** Leaves of which somebody removed a container. */
  const removedByHand = new Set<string>()
  const vetoed = new Map<string, number>()
  let verdicts: readonly string[] = []
  /** The commit of the newest turn. */
  let seen: string | null = null
  const counts = { calls: 0, faults: 0, deaths: 0, turns: 0 }

  function onCall(call: string, args: readonly unknown[], moment: 'before' | 'after'): void {
    if (moment === 'after') return watch.see(look())
    counts.calls++
    if (TRACED && !['observe', 'inspect', 'exec', 'probe'].includes(call)) {
      tell(
        `${call} ${world.containers.get(String(args[0]))?.name ?? String(args[0])} ${typeof args[1] === 'string' ? args[1] : ''}`,
      )
    }
    const id = String(args[0])
    if (CHANGES.has(call)) watch.touches(look(), id)
    if (TAKES_DOWN.has(call)) watch.takesDown(look(), id)
    if (call === 'start') countTry(id)
  }

  /** A daemon that goes round and round without getting on is as bad as one that stands still. */
  let minute = { since: 0, turns: 0 }
  function countTurn(): void {
    if (clock.steady() - minute.since > 60_000) minute = { since: clock.steady(), turns: 0 }
    if (++minute.turns <= MOST_TURNS) return
    watch.say('I5', clock.now(), `more than ${MOST_TURNS} turns in a minute`)
    graft?.process.kill()
  }

  function countTry(id: string): void {
    const container = world.containers.get(id)
    const labels = container === undefined ? null : labelsOf(world, container)
    if (container === undefined || labels === null || !container.name.endsWith('.next')) return
    const state = past.get(labels.leaf)?.find(({ generation }) => generation === labels.generation)
    if (state === undefined || isSound(state.flavour)) return
    // What lacks a port or the container in whose namespace it lives does not begin at all.
    if (claimedElsewhere(world, container) !== null) return
    const key = `${labels.leaf} generation ${labels.generation}`
    const known = tries.get(key) ?? { count: 0, disturbedBefore: disturbances }
    known.count++
    tries.set(key, known)
    if (known.count > 1 + disturbances - known.disturbedBefore)
      watch.say('I6', clock.now(), `${key}, which failed, was tried ${known.count} times`)
  }

  // The daemon, as often as it has to be started.
  const onTheWay = new Map<unknown, Promise<unknown>>()
  let graft: { process: Process; daemon: Daemon; abort: AbortController } | null = null

  function boot(): void {
    const abort = new AbortController()
    const process = startProcess({
      engine,
      clock,
      weather,
      onTheWay,
      onCall,
      onFault: () => void counts.faults++,
      onDisturbed: () => void disturbances++,
      onDeath() {
        counts.deaths++
        disturbances++
        tell('graft dies')
      },
    })
    let wake = (): void => undefined
    const health = createHealthWatch(process.engine, process.clock, abort.signal, () => wake())
    const reconciler = createReconciler({
      engine: process.engine,
      clock: process.clock,
      runDigest,
      mirror: (reference) => reference,
      parallel: 4,
      report: () => undefined,
      probed: () => health.seen(),
      onChange: () => wake(),
    })
    const daemon = startDaemon(
      {
        deployment: deploymentOn(repository, noteTree),
        engine: process.engine,
        reconciler,
        clock: process.clock,
        signal: abort.signal,
        probed: () => health.seen(),
        stillOurs: () => Promise.resolve(),
        tell(news) {
          if (news.kind !== 'turn') return
          counts.turns++
          countTurn()
          // With faults in between a commit is seen late: what begins meanwhile ends with that.
          if (news.turn.plan.commit !== seen) triedAnew(site.leaves)
          seen = news.turn.plan.commit
          if (TRACED)
            for (const { leaf, kind, because } of news.turn.plan.verdicts)
              if (kind !== 'keep') tell(`turn: ${leaf} ${kind}, ${because}`)
          verdicts = news.turn.plan.verdicts.map(({ leaf, kind, because }) => `${leaf}: ${kind}, ${because}`)
        },
        onTurn: (turn) => health.follow(turn),
      },
      (callback) => (wake = callback),
    )
    daemon.ended.catch((error: unknown) => watch.say('I5', clock.now(), `the daemon ended: ${String(error)}`))
    graft = { process, daemon, abort }
    tell('graft starts')
  }

  function commit(next: SiteState, subject: string): void {
    const before = site.leaves
    site = next
    const after = filesOf(site)
    repository.commit(changes(files, after), subject)
    files = after
    if (site.readable) noteWish()
    triedAnew(before)
    tell(`commit: ${subject}`)
    graft?.daemon.pushed()
  }

  /** What switches together is tried anew when one of it changes. */
  function triedAnew(before: SiteState['leaves']): void {
    for (const key of tries.keys()) {
      const leaf = key.split(' ')[0] ?? ''
      if (isTogether(leaf) || isJoined(leaf, before) || isJoined(leaf, site.leaves)) tries.delete(key)
    }
  }

  /** A set that stops takes back what is at its gate, and no verdict is given. */
  function takenBack(set: string): void {
    const names = new Set([...engine.world().containers.values()].map(({ name }) => name))
    for (const key of tries.keys()) {
      const leaf = key.split(' ')[0] ?? ''
      if (placeOf(leaf).set === set && !names.has(`${leaf}.failed`)) tries.delete(key)
    }
  }

  function bumped(leaves: readonly string[], flavour: LeafState['flavour'], more: Partial<LeafState> = {}): SiteState {
    const all = new Map(site.leaves)
    for (const leaf of leaves) {
      const before = all.get(leaf)
      if (before === undefined) continue
      const generation = (highest.get(leaf) ?? 0) + 1
      highest.set(leaf, generation)
      const state = { ...before, ...more, generation, flavour }
      all.set(leaf, state)
      past.get(leaf)?.push(state)
    }
    return { ...site, leaves: all, readable: true }
  }

  async function take(step: Step): Promise<void> {
    switch (step.do) {
      case 'wait':
        return
      case 'bump':
        return commit(bumped(step.leaves, step.flavour), `${step.leaves.join(' ')} ${step.flavour}`)
      case 'back': {
        const known = past.get(step.leaf)?.at(-1 - step.by)
        const now = site.leaves.get(step.leaf)
        if (known === undefined || now === undefined) return
        // Another leaf may have its port by now.
        const state = { ...known }
        const taken = [...site.leaves].some(
          ([leaf, other]) => leaf !== step.leaf && other.port === state.port && isPort(leaf),
        )
        if (isPort(step.leaf) && taken) return
        commit(
          { ...site, leaves: new Map(site.leaves).set(step.leaf, state), readable: true },
          `${step.leaf} back to ${state.generation}`,
        )
        return
      }
      case 'remove': {
        if (site.leaves.size <= 6 || !site.leaves.has(step.leaf) || isJoined(step.leaf, site.leaves)) return
        const leaves = new Map(site.leaves)
        leaves.delete(step.leaf)
        return commit({ ...site, leaves, readable: true }, `without ${step.leaf}`)
      }
      case 'add': {
        const { joins } = placeOf(step.leaf)
        if (site.leaves.has(step.leaf) || (joins !== undefined && !site.leaves.has(joins))) return
        const generation = (highest.get(step.leaf) ?? 0) + 1
        highest.set(step.leaf, generation)
        const used = [...site.leaves].filter(([leaf]) => isPort(leaf)).map(([, { port }]) => port)
        const port = [8080, 8081, 8082].find((one) => !used.includes(one)) ?? 8080
        const state: LeafState = { generation, flavour: 'good', port }
        past.get(step.leaf)?.push(state)
        return commit(
          { ...site, leaves: new Map(site.leaves).set(step.leaf, state), readable: true },
          `with ${step.leaf}`,
        )
      }
      case 'move-port': {
        const edge = site.leaves.get('edge')
        if (edge === undefined) return
        const rim = site.leaves.get('rim')
        let port = otherPort(edge.port)
        if (rim?.port === port) port = otherPort(port)
        return commit(bumped(['edge'], 'good', { port }), `edge to port ${port}`)
      }
      case 'swap-ports': {
        const [edge, rim] = [site.leaves.get('edge'), site.leaves.get('rim')]
        if (edge === undefined || rim === undefined) return
        const half = bumped(['edge'], 'good', { port: rim.port })
        site = half
        return commit(bumped(['rim'], 'good', { port: edge.port }), 'edge and rim swap ports')
      }
      case 'stop-set':
      case 'suspend-set': {
        const key = step.do === 'stop-set' ? 'stopped' : 'suspended'
        const sets = new Set(site[key])
        if (!sets.delete(step.set)) sets.add(step.set)
        commit({ ...site, [key]: sets, readable: true }, `${key}: ${[...sets].join(' ')}`)
        return takenBack(step.set)
      }
      case 'unreadable':
        return commit({ ...site, readable: false }, 'does not read')
      case 'kill': {
        const doomed = graft
        if (doomed === null) return boot()
        doomed.process.dieIn(step.calls, step.moment)
        await clock.advance(10_000)
        doomed.process.kill()
        doomed.abort.abort()
        graft = null
        await clock.advance(step.away)
        return boot()
      }
      case 'end': {
        const leaving = graft
        if (leaving === null) return boot()
        tell('graft is asked to end')
        leaving.abort.abort()
        await clock.advance(400_000)
        leaving.process.kill()
        disturbances++
        graft = null
        await clock.advance(step.away)
        return boot()
      }
      case 'engine-restart':
        tell(`the engine restarts${step.live ? ', its containers live on' : ''}`)
        disturbances += 10
        // What somebody told the engine to start again, it starts before graft can say otherwise.
        for (const id of givenPolicy) {
          const container = world.containers.get(id)
          const labels = container === undefined ? null : labelsOf(world, container)
          if (labels !== null && container?.restartPolicy !== 'no') watch.excuse(labels.leaf)
        }
        awayUntil = clock.steady() + step.away
        return engine.restart({ liveRestore: step.live })
      case 'calls':
        tell(`calls: ${step.faults.join(' ')}, one in ${step.gap + 1}`)
        callFaults = Array.from({ length: step.count }, (_, i) => step.faults[i % step.faults.length] ?? 'refused')
        gap = step.gap
        nextIn = step.gap
        return
      case 'events':
        tell(`events come ${step.how}`)
        eventFault = { how: step.how, left: step.count }
        return
      case 'hand':
        return byHand(step.act, step.pick)
      case 'clock':
        tell(`the clock jumps by ${step.by / 1000} s`)
        return clock.jump(step.by)
      case 'ask':
        disturbances++
        tell(`somebody asks for ${step.for} ${step.leaf}`)
        if (step.for === 'retry') graft?.daemon.retry(step.leaf)
        else graft?.daemon.restart(step.leaf)
    }
  }

  async function byHand(act: string, pick: number): Promise<void> {
    const all = [...engine.world().containers.values()].filter((one) => labelsOf(world, one)?.deployment === 'shop')
    const one = all[pick % Math.max(1, all.length)]
    if (one === undefined) return
    const leaf = labelsOf(world, one)?.leaf ?? ''
    disturbances += 3
    if (['stop', 'kill'].includes(act) && one.name === `${leaf}.next` && one.state === 'running')
      vetoed.set(leaf, labelsOf(world, one)?.generation ?? 0)
    tell(`by hand: ${act} ${one.name} (${one.state})`)
    const acting = Promise.resolve().then(async () => {
      if (act === 'stop') await clock.run(engine.stop(one.id))
      if (act === 'start') await clock.run(engine.start(one.id))
      if (act === 'kill') engine.kill(one.id)
      if (act === 'remove') removedByHand.add(leaf)
      if (act === 'remove') await engine.remove(one.id)
      if (act === 'pause') engine.pause(one.id)
      if (act === 'rename') await engine.rename(one.id, `${one.name}-by-hand-${pick}`)
      if (act === 'policy') givenPolicy.add(one.id)
      if (act === 'policy') await engine.setRestartPolicy(one.id, ['no', 'always', 'unless-stopped'][pick % 3] ?? 'no')
      if (act === 'prune')
        for (const each of all) {
          if (each.state !== 'exited' && each.state !== 'created') continue
          removedByHand.add(labelsOf(world, each)?.leaf ?? '')
          await engine.remove(each.id)
        }
    })
    // What graft has asked for before may take its effect beside it.
    const asked = [...onTheWay.values()]
    watch.excuse(leaf, Promise.allSettled([acting, ...asked]))
    // What an engine refuses to do.
    await acting.catch(() => undefined)
  }

  /** Whether it may share a table with others. */
  const isTogether = (leaf: string): boolean => {
    const { set, joins } = placeOf(leaf)
    return set === 'pair' || isPort(leaf) || joins !== undefined
  }
  const isPort = (leaf: string): boolean => placeOf(leaf).class === 'port'

  /** Null where all is as the last commit wants it; else what is not. */
  function amiss(): string | null {
    if (!site.readable) return null
    const held = heldLeaves(site, vetoed)
    const containers = [...engine.world().containers.values()].filter(
      (one) => labelsOf(world, one)?.deployment === 'shop',
    )
    for (const { name, labels, state } of containers) {
      const set = labels === null ? '' : placeOf(labels.leaf).set
      if (site.suspended.has(set)) continue
      if (/\.(next|prev-.*)$/.test(name)) return `${name} is left over`
      // What is left of a job that was done is a log, and what lies still in a stopped set is left as it is.
      const lies = labels?.kind === 'job' || (site.stopped.has(set) && state === 'exited')
      if (/-by-hand-/.test(name) && !lies) return `${name} is left over`
      // What still runs an older generation may use what is to go.
      if (labels !== null && !site.leaves.has(labels.leaf) && held.size === 0) return `${name} is of no leaf any more`
    }
    for (const [leaf, { generation }] of site.leaves) {
      const { set, class: kind } = placeOf(leaf)
      if (site.suspended.has(set)) continue
      const container = containers.find(({ name }) => name === leaf)
      if (held.has(leaf)) {
        const why = down(leaf, container)
        if (why !== null) return why
        continue
      }
      if (site.stopped.has(set)) {
        if (container !== undefined && container.state !== 'exited' && container.state !== 'created')
          return `${leaf} is not stopped`
        continue
      }
      // That a job was done stays known where its container is gone; a rollback runs no job again.
      if (kind === 'job') continue
      if (container === undefined) return `${leaf} is missing`
      if (container.state !== 'running') return `${leaf} is ${container.state}`
      if (container.labels?.generation !== generation)
        return `${leaf} has generation ${container.labels?.generation}, not ${generation}`
      if (container.restartPolicy !== 'always') return `${leaf} has policy ${container.restartPolicy}`
    }
    return null
  }

  /** What runs goes on where its newest generation cannot come up; not where a port went elsewhere, or somebody broke it. */
  function down(leaf: string, container: MemoryContainer | undefined): string | null {
    const { set, class: kind, joins } = placeOf(leaf)
    if (container === undefined || container.state === 'running' || kind === 'job' || kind === 'port') return null
    if (site.stopped.has(set) || container.labels === null || container.startedAt === null) return null
    if (removedByHand.has(joins ?? '') || removedByHand.has(leaf)) return null
    return `${leaf} is held, and what ran of it is ${container.state}`
  }

  boot()
  await clock.advance(120_000)
  const early = amiss()
  if (early !== null) watch.say('I5', clock.now(), `did not come up: ${early}`)
  for (const step of steps) {
    await take(step)
    await clock.advance(step.wait)
  }
  // The faults stop.
  callFaults = []
  eventFault = null
  if (!site.readable) commit({ ...site, readable: true }, 'reads again')
  await clock.advance(Math.max(0, awayUntil - clock.steady()))
  if (graft === null) boot()
  const calm = clock.steady()
  tell('the faults stop')
  let settledIn: number | null = null
  while (clock.steady() - calm < PATIENCE) {
    if (amiss() === null) {
      settledIn = clock.steady() - calm
      break
    }
    await clock.advance(5_000)
  }
  if (settledIn === null) watch.say('I5', clock.now(), amiss() ?? '')
  else {
    await clock.advance(180_000)
    const later = amiss()
    if (later !== null) watch.say('I5', clock.now(), `it did not stay so: ${later}`)
  }
  watch.see(look())
  if (watch.violations().length > 0) {
    story.push('the last turn:', ...verdicts, 'the engine:')
    for (const { name, state, labels, restartPolicy } of engine.world().containers.values())
      story.push(`${name} ${state} generation ${labels?.generation ?? '-'} ${restartPolicy}`)
  }
  const last = graft as { process: Process; abort: AbortController } | null
  last?.process.kill()
  last?.abort.abort()
  return { violations: watch.violations(), ...counts, settledIn, story }
}

function deploymentOn(repository: ReturnType<typeof memoryRepository>, noteTree: (tree: Tree) => void): Deployment {
  const reader = createReader()
  const history = createHistoryIndex(repository, createReader(), null, { apartFrom: Number.POSITIVE_INFINITY })
  const none = { variables: new Map<string, string>(), trustedKeys: null, problems: [], fingerprint: '' }
  const judge: Deployment['judge'] = async (commit) => {
    const snapshot = await repository.snapshot(commit)
    const judged = await accept(snapshot, commit, {
      reader,
      history,
      policy: NO_POLICY,
      allowPrivileged: true,
      hostVariables: new Map(),
      deepen: () => repository.deepen(),
    })
    if (judged.tree !== null) noteTree(judged.tree)
    return { ...judged, commit: snapshot.commit, admitted: true }
  }
  const cannot = (): Promise<never> => Promise.reject(new Error('not in a simulation'))
  return {
    settings: { ...settingsSchema.parse({}), repo: '/simulated', state: '/simulated' },
    state: { root: '/simulated' } as Deployment['state'],
    repository,
    history,
    lastTip: { read: () => Promise.resolve(null), keep: () => Promise.resolve() },
    hostFiles: () => Promise.resolve({ policy: NO_POLICY, ...none }),
    accepted: { file: '', read: () => Promise.resolve(null), keep: () => Promise.resolve() },
    judge,
    judgeTip: ({ id }, host) => judge(id, host),
    async lastGood(tip, host) {
      const id = await history.lastReadable(tip.id)
      const found = id === null ? null : await judge(id, host)
      return found === null || found.tree === null ? null : { ...found, tree: found.tree }
    },
    judgeOnto: cannot,
    judgeWorktree: cannot,
    host: 'simulated',
    book: {
      read: () => Promise.resolve(new Map()),
      record: () => Promise.resolve(),
      catchUp: () => undefined,
      settled: () => Promise.resolve(true),
      onFault: () => undefined,
      close: () => Promise.resolve(),
    },
    outcomes: () => Promise.resolve(new Map()),
    wish: ({ tree, refused, departed }) => ({
      tree,
      refused,
      departed,
      removals: { limit: () => 100, confirmed: true },
      bind: () => Promise.resolve(),
    }),
    bound: () => Promise.resolve(null),
    unbind: () => Promise.resolve(),
    close: () => Promise.resolve(),
  }
}
