// graft logs: the log of a container, or of every container of a set, with the leaf's name before each line.

import { setTimeout as sleep } from 'node:timers/promises'

import type { Engine, LogLine } from '../apply/engine.ts'
import type { Observed, ObservedContainer } from '../plan/observed.ts'
import { isMisnamed, leavesIn, namedSet, nothingNamed, setNames } from '../daemon/named-set.ts'
import type { Tree } from '../desired/tree.ts'
import { readName } from '../plan/names.ts'
import { ownColours, padEnd } from '../report/columns.ts'
import type { Paint } from '../report/palette.ts'
import { examples, isSet, textOf, type CommandModule, type Invocation } from './command.ts'
import { Mistake } from './mistakes.ts'
import { hostFilesOf, newestReadable, openForCommand } from './open-command.ts'
import { openEngine } from './open-engine.ts'

export const logsCommand: CommandModule = {
  configure(command) {
    command
      .description('Shows the log of a leaf, or of every leaf of a set (its name or its path).')
      .argument('<NAME|SET>', 'a leaf, or a set')
      .option('-f, --follow', 'go on as lines come, over a swap too')
      .option('-n, --tail <LINES>', 'only the last lines of each container')
      .option('--failed', 'the candidate that failed last, too')
      .option('--timestamps', 'put the time before each line')
      .addHelpText(
        'after',
        examples([
          ['graft logs nova-api --tail 50', ''],
          ['graft logs openstack-control/nova-controller -f', 'a whole set'],
          ['graft logs nova-api --failed', 'why the last generation failed'],
        ]),
      )
  },
  async run(invocation) {
    const { surroundings, own } = invocation
    const tail = tailOf(textOf(own, 'tail'))
    const { deployment, settings } = await openForCommand(invocation)
    try {
      const known = await newestReadable(deployment, await hostFilesOf(deployment))
      if (known === null)
        throw new Mistake(
          'no commit of this repository reads, so it is not known what is deployed',
          'see what is wrong with graft validate',
        )
      const { connection, engine } = await openEngine(settings, surroundings.env)
      const ended = new AbortController()
      const stopped = surroundings.onStop(() => ended.abort())
      try {
        return await showLogs(invocation, { engine, tree: known.tree, tail, signal: ended.signal })
      } finally {
        stopped()
        connection.close()
      }
    } finally {
      await deployment.close()
    }
  },
}

interface Asked {
  readonly engine: Engine
  readonly tree: Tree
  /** Null: all lines. */
  readonly tail: number | null
  readonly signal: AbortSignal
}

async function showLogs(invocation: Invocation, asked: Asked): Promise<number> {
  const { engine, tree, signal } = asked
  const { own, output, args } = invocation
  const observed = await engine.observe(tree.name, [])
  const leaves = leavesNamed(args[0] ?? '', tree, observed)
  const withFailed = isSet(own, 'failed')
  const chosen = observed.containers.flatMap((container) => {
    const name = readName(tree.prefix, container.name)
    if (name === null || !leaves.has(name.leaf)) return []
    if (name.role !== 'live' && !(withFailed && name.role === 'failed')) return []
    return [{ container, label: container.name.slice(tree.prefix.length), live: name.role === 'live' }]
  })
  if (chosen.length === 0) {
    const remedy = withFailed
      ? 'graft status shows what runs'
      : 'graft status shows what runs; --failed shows a candidate that failed'
    throw new Mistake(`no container of ${args[0]} is there`, remedy)
  }
  const widest = Math.max(...chosen.map(({ label }) => label.length))
  const paints = paintsFor(invocation)
  const timestamps = isSet(own, 'timestamps')
  const format = (label: string, index: number, line: LogLine): string => {
    const time = timestamps ? `${output.palette.dim(new Date(line.time).toISOString())} ` : ''
    const prefix =
      chosen.length === 1 ? '' : `${(paints[index % paints.length] ?? String)(`${padEnd(label, widest)} |`)} `
    return `${prefix}${time}${ownColours(line.text)}`
  }
  if (isSet(own, 'follow')) {
    const { stream } = output.stdout
    await Promise.all(
      chosen.map(({ container, label, live }, index) =>
        follow(container, live, asked, (line) => void stream.write(`${format(label, index, line)}\n`)),
      ),
    )
    return 0
  }
  const found: { time: number; text: string }[] = []
  for (const [index, { container, label }] of chosen.entries()) {
    const lines = engine.logs(container.id, { signal, ...(asked.tail === null ? {} : { tail: asked.tail }) })
    for await (const line of lines) {
      if (chosen.length === 1) output.print([format(label, index, line)])
      else found.push({ time: line.time, text: format(label, index, line) })
    }
  }
  output.print(found.toSorted((a, b) => a.time - b.time).map(({ text }) => text))
  return 0
}

const LOOK_AGAIN = 1_000

/** A swap ends the old container's log; the new one's follows. A failed candidate's has an end. */
async function follow(
  first: ObservedContainer,
  live: boolean,
  { engine, tail, signal }: Asked,
  write: (line: LogLine) => void,
): Promise<void> {
  let container: ObservedContainer | null = first
  let newest = 0
  for (let lines: { tail?: number } = tail === null ? {} : { tail }; !signal.aborted;) {
    if (container !== null) {
      for await (const line of engine.logs(container.id, { ...lines, follow: true, signal })) {
        if (line.time !== 0 && line.time < newest) continue
        newest = line.time
        write(line)
      }
    }
    if (!live || signal.aborted) return
    await sleep(LOOK_AGAIN, undefined, { signal }).catch(() => undefined)
    const before: string | null = container?.id ?? null
    const now: ObservedContainer | null = signal.aborted ? null : await engine.inspect(first.name)
    // The same container, started again: only what is new.
    lines = now?.id === before ? { tail: 0 } : {}
    container = now?.state === 'running' ? now : null
  }
}

function leavesNamed(asked: string, tree: Tree, { containers }: Observed): ReadonlySet<string> {
  if (tree.leaves.has(asked) || containers.some(({ labels }) => labels.leaf === asked)) return new Set([asked])
  const set = namedSet(tree, asked)
  if (set !== null && !isMisnamed(set)) return new Set(leavesIn(set))
  const { message, remedy } =
    set ?? nothingNamed(tree, asked, 'no leaf and no set', [...tree.leaves.keys(), ...setNames(tree)])
  throw new Mistake(message, remedy)
}

function paintsFor({ output: { palette } }: Invocation): Paint[] {
  return [palette.accent, palette.changed, palette.good, palette.waiting, palette.bad]
}

function tailOf(text: string | undefined): number | null {
  if (text === undefined || text === 'all') return null
  if (/^\d{1,9}$/.test(text)) return Number(text)
  throw new Mistake(`--tail ${text} is not a number of lines`, 'write for example --tail 100')
}
