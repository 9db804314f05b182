// The history index and the way from a push to a plan, each with what native Git takes for the same question beside it.
// Needs no engine.

import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { promisify } from 'node:util'

import { createHistoryIndex, type HistoryIndex } from '../../src/daemon/history-index.ts'
import { knownNodes, nodeNamed, pageOf } from '../../src/daemon/node-history.ts'
import { createReader } from '../../src/desired/read.ts'
import { startGitServer } from '../../src/demo/git-server.ts'
import { openRepository } from '../../src/repository/open.ts'
import type { Repository } from '../../src/repository/repository.ts'
import { historyRepository, type HistoryRepository } from './git-repository.ts'
import { pushesToPlans, type PushTimes } from './git-push.ts'
import { inWords, markdown, median, timed } from './samples.ts'
import { identity } from './tree-repository.ts'

const run = promisify(execFile)

/** Milliseconds; `native` is Git's own way to the same answer, its start included. */
export interface GitFigures {
  readonly commits: number
  readonly leaves: number
  readonly cold: number
  /** Processor time of all threads of this process, the repository's own process left out. */
  readonly coldCpu: number
  /** The longest time for which the event loop stood still meanwhile. */
  readonly coldBlocked: number
  /** From the file, in a fresh process. */
  readonly loaded: number
  readonly nativeWalk: number
  /** One more commit: found, read, judged and put on disk; of it the index alone. */
  readonly grown: number[]
  readonly grownIndex: number[]
  readonly pollFolder: number[]
  readonly pollServer: number[]
  readonly nativePoll: number[]
  /** One page of a leaf's history, and all of it. */
  readonly page: number[]
  readonly all: number[]
  readonly touched: number
  readonly nativeLog: number[]
  readonly push: PushTimes
}

const TIMES = 20

export async function gitHistory(commits: number, leaves: number, say: (text: string) => void): Promise<GitFigures> {
  say(`a history of ${commits} commits over ${leaves} leaves`)
  const git = await historyRepository(commits, leaves)
  const repository = await openRepository({ repo: git.folder, cache: join(git.folder, '.git', 'bench-cache') })
  try {
    const file = join(git.folder, '.git', 'bench-history.jsonl')
    const open = (): HistoryIndex => createHistoryIndex(repository, createReader(), file)
    const tip = (await repository.refresh()).commit.id
    say('the index, cold')
    const history = open()
    const loop = monitorEventLoopDelay({ resolution: 10 })
    const before = process.cpuUsage()
    loop.enable()
    const cold = await timed(() => history.along(tip))
    loop.disable()
    const { user, system } = process.cpuUsage(before)
    if (cold.value.commits.length !== commits) throw new Error(`${cold.value.commits.length} commits were indexed`)
    const loaded = await timed(() => open().along(tip))
    const native = await timed(() => git.git('log', '--first-parent', '--format=%H', '--name-only', 'main'))

    say('the index, grown')
    const grown = await growth(git, repository, history)
    say('history of one leaf')
    const asked = await oneLeaf(git, repository, history)
    say('polls')
    const polls = await pollTimes(git, repository)
    say('from a push to the plan')
    const push = await pushesToPlans(git, say)
    return {
      commits,
      leaves,
      cold: cold.ms,
      coldCpu: (user + system) / 1000,
      coldBlocked: loop.max / 1e6,
      loaded: loaded.ms,
      nativeWalk: native.ms,
      ...grown,
      ...asked,
      ...polls,
      push,
    }
  } finally {
    await repository.close()
    await git.end()
  }
}

/** As the daemon does it: the commit is read once, for the plan, and that reading is the index's too. */
async function growth(
  git: HistoryRepository,
  repository: Repository,
  history: HistoryIndex,
): Promise<Pick<GitFigures, 'grown' | 'grownIndex'>> {
  const reader = createReader()
  let snapshot = await repository.snapshot((await repository.refresh()).commit.id)
  const first = reader.read(snapshot, { host: null }).tree
  if (first === null) throw new Error('it does not read')
  await history.at(snapshot.commit?.id ?? '', { snapshot, tree: first })
  const grown: number[] = []
  const grownIndex: number[] = []
  for (let time = 0; time < TIMES; time++) {
    const id = await git.bump()
    let index = 0
    const whole = await timed(async () => {
      const { commit } = await repository.refresh()
      snapshot = await repository.snapshot(commit.id, snapshot)
      const { tree } = reader.read(snapshot, { host: null })
      if (tree === null || commit.id !== id) throw new Error('the bump is not there, or does not read')
      const known = { snapshot, tree }
      index = (await timed(() => history.at(commit.id, known))).ms
    })
    grown.push(whole.ms)
    grownIndex.push(index)
  }
  return { grown, grownIndex }
}

async function oneLeaf(
  git: HistoryRepository,
  repository: Repository,
  history: HistoryIndex,
): Promise<Pick<GitFigures, 'page' | 'all' | 'touched' | 'nativeLog'>> {
  const { id } = (await repository.refresh()).commit
  const ask = async (limit: number): Promise<number> => {
    const line = await history.along(id)
    const node = nodeNamed(knownNodes(line), git.leaf)
    const page = 'kind' in node ? pageOf(line, node, { before: null, limit }) : null
    return page?.entries.length ?? 0
  }
  const page: number[] = []
  const all: number[] = []
  const nativeLog: number[] = []
  let touched = 0
  for (let time = 0; time < TIMES; time++) {
    page.push((await timed(() => ask(20))).ms)
    const whole = await timed(() => ask(Infinity))
    all.push(whole.ms)
    touched = whole.value
    const native = await timed(() => git.git('log', '--format=%h %an %s', '--', git.file))
    nativeLog.push(native.ms)
    if (native.value.split('\n').length !== touched) throw new Error('Git and the index do not agree')
  }
  return { page, all, touched, nativeLog }
}

async function pollTimes(
  git: HistoryRepository,
  folder: Repository,
): Promise<Pick<GitFigures, 'pollFolder' | 'pollServer' | 'nativePoll'>> {
  const server = await startGitServer({ folder: git.folder })
  const cache = join(git.folder, '.git', 'bench-clone')
  const remote = await openRepository({ repo: `${server.url}/.git`, cache, ref: 'main' })
  const figures = { pollFolder: [] as number[], pollServer: [] as number[], nativePoll: [] as number[] }
  try {
    await remote.refresh()
    for (let time = 0; time < TIMES; time++) {
      figures.pollFolder.push((await timed(() => folder.refresh())).ms)
      figures.pollServer.push((await timed(() => remote.refresh())).ms)
      const native = timed(() =>
        run('git', ['ls-remote', `${server.url}/.git`, 'refs/heads/main'], { env: identity() }),
      )
      figures.nativePoll.push((await native).ms)
    }
    return figures
  } finally {
    await remote.close()
    await server.stop()
  }
}

export function gitLines(figures: GitFigures): string[] {
  const { commits, leaves, touched, push } = figures
  const middle = (samples: readonly number[]): string => inWords(median(samples))
  const most = (samples: readonly number[]): string => inWords(Math.max(...samples))
  const rows = [
    ['index, cold', inWords(figures.cold), inWords(figures.nativeWalk), '`git log --name-only`'],
    ['· of it processor time', inWords(figures.coldCpu), '', ''],
    ['· event loop blocked meanwhile, at most', inWords(figures.coldBlocked), '', ''],
    ['index, from its file', inWords(figures.loaded), '', ''],
    ['one more commit: seen, read, indexed', middle(figures.grown), '', ''],
    ['· of it the index', middle(figures.grownIndex), '', ''],
    ['poll without a change, a folder', middle(figures.pollFolder), '', ''],
    ['poll without a change, a server', middle(figures.pollServer), middle(figures.nativePoll), '`git ls-remote`'],
    ['history of one leaf, 20 commits', middle(figures.page), '', ''],
    [`history of one leaf, all ${touched}`, middle(figures.all), middle(figures.nativeLog), '`git log -- FILE`'],
    ['commit → plan started, watched folder', `${middle(push.watch)} (${most(push.watch)})`, '', ''],
    ['push → plan started, webhook', `${middle(push.webhook)} (${most(push.webhook)})`, '', ''],
  ]
  return [
    markdown([`${commits} commits, ${leaves} leaves`, 'graft', 'git', 'how'], rows),
    '',
    `Medians of ${TIMES} (the largest in brackets). Git's figures hold the start of a process, and read only names.`,
  ]
}
