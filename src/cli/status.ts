// graft status: the tree with what runs, from the daemon where one listens, else from a look of its own.

import { setTimeout as sleep } from 'node:timers/promises'

import { EngineFault } from '../apply/engine.ts'
import { treeStatus } from '../daemon/status.ts'
import { resolveEngineUrl } from '../engine/engine-address.ts'
import { askStatus } from '../http/control-client.ts'
import { approveRemedy } from '../report/approve-words.ts'
import { cut, withoutSteering } from '../report/columns.ts'
import { statusJson } from '../report/json.ts'
import type { Status } from '../report/status.ts'
import { statusLines } from '../report/status-lines.ts'
import { RepositoryFault } from '../repository/repository.ts'
import { examples, isSet, type CommandModule, type Invocation } from './command.ts'
import { askDaemon, socketsOf } from './daemon-place.ts'
import { openForCommand, reads, type Opened } from './open-command.ts'
import { openEngine, openReconciler, QUIET } from './open-engine.ts'

export const statusCommand: CommandModule = {
  configure(command) {
    command
      .description(
        'Shows the tree with generation, image, sync, health and age of each container, and how repository and engine are doing.\nAsks the daemon where one runs, else looks for itself.',
      )
      .option('--watch', 'draw it anew each second; q ends it')
      .option('--json', 'print JSON')
      .addHelpText(
        'after',
        examples([
          ['graft status', ''],
          ['graft status --watch', 'stay and see it change'],
          ["graft status --json | jq '.tree'", 'as data'],
        ]),
      )
  },
  async run(invocation) {
    const { own, output } = invocation
    const opened = await openForCommand(invocation)
    try {
      if (isSet(own, 'watch') && output.stdout.isTerminal) return await watch(invocation, opened)
      const status = await statusNow(invocation, opened)
      if (isSet(own, 'json')) output.printJson(statusJson(status))
      else output.print(linesOf(status, invocation, opened))
      return status.engine.reachable && status.repository.fault === null ? 0 : 1
    } finally {
      await opened.deployment.close()
    }
  },
}

function linesOf(status: Status, { output }: Invocation, { place }: Opened): string[] {
  const removalRemedy = approveRemedy(status.commit?.id ?? null)
  return statusLines(status, { palette: output.palette, now: Date.now(), place, removalRemedy })
}

async function statusNow(invocation: Invocation, opened: Opened): Promise<Status> {
  const { env } = invocation.surroundings
  return (await askDaemon(await socketsOf(opened.deployment, env), askStatus)) ?? (await lookAround(invocation, opened))
}

/** Without a daemon: what cannot be reached is part of the status. */
async function lookAround({ surroundings: { env } }: Invocation, { deployment, settings }: Opened): Promise<Status> {
  const { url } = await resolveEngineUrl(env, settings.engine)
  const status: Status = {
    deployment: null,
    repository: { description: deployment.repository.description, tip: null, seenAt: null, fault: null },
    engine: { url, reachable: true, message: null },
    commit: null,
    problems: [],
    daemon: null,
    tree: null,
    departed: [],
    removalHeld: null,
    notes: [],
  }
  const host = await deployment.hostFiles()
  let known: Pick<Status, 'repository' | 'deployment' | 'commit' | 'problems'>
  let wish
  try {
    const { commit: tip } = await deployment.repository.refresh()
    const judgement = await deployment.judgeTip(tip, host)
    const good = reads(judgement) ? judgement : ((await deployment.lastGood(tip, host)) ?? judgement)
    wish = reads(good) ? deployment.wish(good, host, false) : null
    known = {
      repository: { ...status.repository, tip, seenAt: Date.now() },
      deployment: good.tree?.name ?? null,
      commit: reads(good) ? good.commit : null,
      problems: [...host.problems, ...judgement.problems],
    }
  } catch (error) {
    if (!(error instanceof RepositoryFault)) throw error
    const { message, remedy } = error
    return { ...status, repository: { ...status.repository, fault: { message, remedy } }, problems: host.problems }
  }
  try {
    const { connection, engine } = await openEngine(settings, env)
    try {
      if (wish === null) return { ...status, ...known }
      const { name } = wish.tree
      const reconciler = await openReconciler(deployment, { connection, engine, name }, QUIET)
      const turn = await reconciler.look(wish)
      const none = { busy: new Set<string>(), probed: new Map(), restarts: new Map() }
      return { ...status, ...known, ...treeStatus(turn, { ...none, swaps: reconciler.lastSwaps() }) }
    } finally {
      connection.close()
    }
  } catch (error) {
    if (!(error instanceof EngineFault)) throw error
    return { ...status, ...known, engine: { url, reachable: false, message: `${error.message}; ${error.remedy}` } }
  }
}

const EVERY = 1_000

/** On the terminal's other screen, so that what stood there comes back. */
async function watch(invocation: Invocation, opened: Opened): Promise<number> {
  const { surroundings, output } = invocation
  const { stream } = output.stdout
  const ended = new AbortController()
  const end = () => ended.abort()
  const stopped = surroundings.onStop(end)
  const keys = listenForKeys(surroundings.stdin, end)
  const leave = () => void stream.write('\u001B[?25h\u001B[?1049l')
  process.on('exit', leave)
  stream.write('\u001B[?1049h\u001B[?25l')
  try {
    while (!ended.signal.aborted) {
      const status = await statusNow(invocation, opened)
      const { columns, rows } = output.stdout.size()
      const lines = linesOf(status, invocation, opened)
      const shown =
        lines.length >= rows
          ? [...lines.slice(0, rows - 2), output.palette.dim(`… ${lines.length - rows + 2} more lines`)]
          : lines
      stream.write(
        `\u001B[H${shown.map((line) => `${cut(withoutSteering(line), columns)}\u001B[K\n`).join('')}\u001B[J`,
      )
      await sleep(EVERY, undefined, { signal: ended.signal }).catch(() => undefined)
    }
    return 0
  } finally {
    process.off('exit', leave)
    leave()
    keys()
    stopped()
  }
}

/** `q`, Ctrl-C and Ctrl-D end it. */
function listenForKeys(stdin: NodeJS.ReadStream | null, end: () => void): () => void {
  if (stdin === null) return () => undefined
  const onKey = (key: Buffer) => {
    if (['q', 'Q', '\u0003', '\u0004'].includes(key.toString('utf8'))) end()
  }
  stdin.setRawMode(true)
  stdin.resume()
  stdin.on('data', onKey)
  return () => {
    stdin.off('data', onKey)
    stdin.setRawMode(false)
    stdin.pause()
  }
}
