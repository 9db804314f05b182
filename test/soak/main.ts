// `npm run soak`: thirty containers under load on a real engine, random commits and faults for hours, the invariants
// watched all the time. Ends with 1 where one of them did not hold, or where something grew that must not.

import { appendFile, mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'

import { nextAct, wholeTree, type Act } from './acts.ts'
import { bounds, boundLines, table } from './bounds.ts'
import { CLIENT_PATIENCE, served, startClients, type Answered, type Clients } from './clients.ts'
import { converges } from './converge.ts'
import { nextFault, type Fault } from './faults.ts'
import { newFleet, type Fleet } from './fleet.ts'
import { DEPLOYMENT, layGround, PREFIX, type Ground } from './ground.ts'
import { readOptions, USAGE, type SoakOptions } from './options.ts'
import { randomFrom } from './random.ts'
import { sampleLine, takeSample, type Sample } from './samples.ts'
import { startWatch, type Watch } from './watch.ts'

/** Milliseconds from the end of a fault until everything has to be as declared. */
const PATIENCE = 300_000

/** Of the clients, those of leaves that were in the tree before and after. */
interface Round extends Answered {
  readonly commit: string
  readonly fault: string
  readonly converged: number | string[]
  /** Whether clients may have missed answers: dockerd was gone. */
  readonly noticed: boolean
}

async function soak(options: SoakOptions): Promise<boolean> {
  const begun = performance.now()
  const say = (text: string) =>
    console.error(`${String(Math.round((performance.now() - begun) / 1000)).padStart(5)} s  ${text}`)
  say(`seed ${options.seed}`)
  const write = async (file: string, text: string) => {
    if (options.out !== null) await appendFile(join(options.out, file), text)
  }
  if (options.out !== null) await mkdir(options.out, { recursive: true })
  const random = randomFrom(options.seed)
  const ground = await layGround(options.out, say)
  const fleet = newFleet(ground.ports)
  const rounds: Round[] = []
  const samples: Sample[] = []
  let commits = 1
  let clients: Clients | null = null
  let watch: Watch | null = null
  let sampling: NodeJS.Timeout | undefined
  try {
    await ground.push(wholeTree(fleet), 'thirty containers')
    commits++
    ground.daemon.start()
    const launched = await converges(ground.docker, fleet, PATIENCE)
    if (typeof launched !== 'number') throw new Error(`not launched: ${launched.join('; ')}\n${ground.daemon.log()}`)
    say(`launched in ${(launched / 1000).toFixed(1)} s`)
    const { docker, daemon, state } = ground
    watch = startWatch({ docker, deployment: DEPLOYMENT, fleet })
    clients = startClients(fleet)
    const end = performance.now() + options.minutes * 60_000
    const every = Math.min(60_000, (options.minutes * 60_000) / 20)
    const sample = async () => {
      const taken = await takeSample({ daemon, state, docker, deployment: DEPLOYMENT, begun, commits: () => commits })
      if (taken === null) return
      if (samples.length === 0) await write('samples.csv', `${Object.keys(taken).join(',')}\n`)
      samples.push(taken)
      await write('samples.csv', `${sampleLine(taken)}\n`)
    }
    sampling = setInterval(() => void sample().catch(() => undefined), every)
    while (performance.now() < end) {
      // In the last third graft's own process is left alone, so that what leaks is seen.
      const left = (end - performance.now()) / (options.minutes * 60_000)
      const before = served(fleet)
      const act = nextAct(fleet, random)
      const fault = nextFault({ ...ground, fleet, deployment: DEPLOYMENT, prefix: PREFIX }, random, left > 1 / 3)
      const round = await playRound({ ground, fleet, watch, clients, before, act, fault, wait: random.below(3_000) })
      // Its trees grow in the proxy's memory otherwise.
      ground.proxy.calls.length = 0
      commits++
      rounds.push(round)
      await write('rounds.jsonl', `${JSON.stringify(round)}\n`)
      const ended =
        typeof round.converged === 'number' ? `${(round.converged / 1000).toFixed(1)} s` : round.converged.join('; ')
      say(`${act.what} · ${round.fault} · ${ended} · ${round.failed} of ${round.requests} failed`)
      if (typeof round.converged !== 'number') {
        say(ground.daemon.log())
        break
      }
    }
    await sample()
    await watch.stop()
    return await summary({ options, rounds, samples, watch, unasked: daemon.unasked(), begun, fleet })
  } finally {
    clearInterval(sampling)
    await watch?.stop()
    await clients?.stop().catch(() => undefined)
    await ground.daemon.end('SIGTERM')
    await ground.end()
  }
}

interface RoundOrder {
  readonly ground: Ground
  readonly fleet: Fleet
  readonly watch: Watch
  readonly clients: Clients
  /** The webs that answered before the act. */
  readonly before: ReadonlySet<string>
  readonly act: Act
  readonly fault: Fault | null
  readonly wait: number
}

/** A commit, a fault in the middle of what follows from it, and everything as declared again. */
async function playRound({ ground, fleet, watch, clients, before, act, fault, wait }: RoundOrder): Promise<Round> {
  const judged = new Set([...served(fleet)].filter((leaf) => before.has(leaf)))
  await clients.take(judged)
  watch.excuse(act.takenDown)
  if (fault !== null) watch.excuse(fault.excuses)
  watch.failsOnce(fault === null ? act.bad : [])
  await ground.push(act.files, act.what)
  await sleep(wait)
  await fault?.run()
  // What does not read leaves what was; the next commit is a whole tree again.
  const converged = await converges(ground.docker, fleet, PATIENCE)
  if (act.bad.length > 0 && fault === null) await sleep(12_000)
  await sleep(700)
  watch.unexcuse()
  const noticed = fault?.clientsMayNotice === true
  const during = await clients.take(judged)
  const after = noticed ? await untilServed(clients, judged, CLIENT_PATIENCE + 1_000) : []
  // The port of a leaf that came back opens behind its gate, and only then is it counted what its clients lose.
  const back = new Set([...served(fleet)].filter((leaf) => !before.has(leaf)))
  const opened = back.size === 0 ? [] : await untilServed(clients, back, 500)
  return {
    commit: act.what,
    fault: fault?.what ?? 'no fault',
    converged: after === null || opened === null ? ['clients are not served'] : converged,
    ...[during, ...(after ?? [])].reduce((sum, one) => ({
      requests: sum.requests + one.requests,
      failed: sum.failed + one.failed,
      pause: Math.max(sum.pause, one.pause),
      failures: [...sum.failures, ...one.failures],
    })),
    noticed,
  }
}

/**
 * Until nothing fails for `calm` milliseconds; null where that takes too long. What clients lost because dockerd was gone
 * may end as long after it as they wait for an answer.
 */
async function untilServed(clients: Clients, judged: ReadonlySet<string>, calm: number): Promise<Answered[] | null> {
  const end = performance.now() + PATIENCE
  const answered: Answered[] = []
  while (performance.now() < end) {
    await sleep(calm)
    const last = await clients.take(judged)
    answered.push(last)
    if (last.failed === 0 && last.requests > 0) return answered
  }
  return null
}

interface Played {
  readonly options: SoakOptions
  readonly rounds: readonly Round[]
  readonly samples: readonly Sample[]
  readonly watch: Watch
  readonly unasked: number
  readonly begun: number
  readonly fleet: Fleet
}

async function summary({ options, rounds, samples, watch, unasked, begun }: Played): Promise<boolean> {
  const seconds = (performance.now() - begun) / 1000
  const limits = bounds(samples, seconds)
  const quiet = rounds.filter(({ noticed }) => !noticed)
  const times = rounds
    .flatMap(({ converged }) => (typeof converged === 'number' ? [converged] : []))
    .toSorted((a, b) => a - b)
  const stuck = rounds.filter(({ converged }) => typeof converged !== 'number')
  const lost = quiet.reduce((sum, { failed }) => sum + failed, 0)
  const asked = (list: readonly Round[]) => list.reduce((sum, { requests }) => sum + requests, 0)
  const at = (share: number) => `${((times[Math.floor((times.length - 1) * share)] ?? 0) / 1000).toFixed(1)} s`
  const faults = new Map<string, Round[]>()
  for (const round of rounds) {
    const kind = round.fault.replace(/ \S+-\d+$/, '').replace(/, \d+ times/, '')
    faults.set(kind, [...(faults.get(kind) ?? []), round])
  }
  const longest = (list: readonly Round[]) =>
    Math.max(0, ...list.flatMap(({ converged }) => (typeof converged === 'number' ? [converged] : [])))
  const rows = [...faults]
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([kind, list]) => [
      kind,
      String(list.length),
      `${(longest(list) / 1000).toFixed(1)} s`,
      String(list.filter(({ noticed }) => !noticed).reduce((sum, { failed }) => sum + failed, 0)),
    ])
  const told = [
    ...watch
      .violations()
      .map(({ invariant, at: time, text }) => `${new Date(time).toISOString()} ${invariant}: ${text}`),
    ...stuck.map(({ converged, commit, fault }) => `I5: ${String(converged)} after ${commit}, ${fault}`),
    ...(unasked > 0 ? [`graft ended by itself ${unasked} times`] : []),
  ]
  const good = told.length === 0 && lost === 0 && limits.every(({ holds }) => holds)
  const lines = [
    `${(seconds / 60).toFixed(0)} minutes, seed ${options.seed}: ${rounds.length} commits, ${rounds.filter(({ fault }) => fault !== 'no fault').length} of them with a fault, ${watch.looks()} looks at the engine`,
    `as declared after: median ${at(0.5)}, nine of ten within ${at(0.9)}, longest ${at(1)}`,
    `requests: ${asked(rounds)}; where nothing excuses it: ${lost} of ${asked(quiet)} lost, longest pause ${Math.max(0, ...quiet.map(({ pause }) => pause))} ms`,
    '',
    ...table([['fault', 'rounds', 'longest until as declared', 'requests lost without excuse'], ...rows]),
    '',
    ...boundLines(limits),
    '',
    ...(told.length === 0 ? ['every invariant held'] : ['NOT HELD:', ...told]),
  ]
  console.log(lines.join('\n'))
  if (options.out !== null) {
    await writeFile(
      join(options.out, 'summary.json'),
      `${JSON.stringify({ ...options, seconds, rounds, limits, told, lost }, null, 1)}\n`,
    )
  }
  return good
}

try {
  const options = readOptions(process.argv.slice(2))
  if (options === null) console.log(USAGE)
  else process.exitCode = (await soak(options)) ? 0 : 1
} catch (error) {
  if (!(error instanceof TypeError) || !error.message.startsWith('--')) throw error
  console.error(`${error.message}\n\n${USAGE}`)
  process.exitCode = 1
}
