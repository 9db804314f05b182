// graft restart: new containers of the same generation, through the gate, one after the other. A daemon does it where
// one runs; else this command takes a turn of its own, as `graft apply` does.

import { setTimeout as sleep } from 'node:timers/promises'

import { chooseForRestart } from '../daemon/restarts.ts'
import { askRestart, askStatus } from '../http/control-client.ts'
import { duration } from '../report/durations.ts'
import type { LeafStatus, SetStatus, Status } from '../report/status.ts'
import { swapText } from '../report/swap-words.ts'
import { bringAbout, notRestarted } from './bring-about.ts'
import { examples, isSet, type CommandModule, type Invocation } from './command.ts'
import { askDaemon, socketsOf } from './daemon-place.ts'
import { Mistake } from './mistakes.ts'
import { hostFilesOf, newestReadable, openForCommand, type Opened } from './open-command.ts'
import { takeHold } from './hold.ts'
import { openEngine } from './open-engine.ts'

export const restartCommand: CommandModule = {
  configure(command) {
    command
      .description(
        'Gives a leaf, or every leaf of a set one after the other, a new container of the same generation. Each goes through its gate as in an upgrade; the first that fails ends it, and the old one stays.\nThe daemon does it where one runs. Else this command does it itself, with whatever else is not as declared, as graft apply does.',
      )
      .argument('<NAME|SET>', 'a leaf, or a set by its path or name')
      .option('--no-wait', 'only ask the daemon, and do not wait for the result')
      .option('--json', 'print JSON at the end')
      .addHelpText(
        'after',
        examples([
          ['graft restart nova-api', ''],
          ['graft restart openstack-control/nova-controller', 'a whole set'],
          ['graft restart nova-api --no-wait', 'and follow it with graft status --watch'],
        ]),
      )
  },
  async run(invocation) {
    const opened = await openForCommand(invocation)
    try {
      return (await throughDaemon(invocation, opened)) ?? (await byItself(invocation, opened))
    } finally {
      await opened.deployment.close()
    }
  },
}

/** Null where no daemon listens. */
async function throughDaemon(invocation: Invocation, { deployment }: Opened): Promise<number | null> {
  const { surroundings, output, own, args } = invocation
  const [asked = ''] = args
  const sockets = await socketsOf(deployment, surroundings.env)
  const answer = await askDaemon(sockets, (socket) => askRestart(socket, asked))
  if (answer === null) return null
  if (!('leaves' in answer)) throw new Mistake(answer.message, answer.remedy)
  const { leaves } = answer
  const json = isSet(own, 'json')
  if (own['wait'] === false) {
    if (json) output.printJson({ format: 1, daemon: true, leaves, restarts: {} })
    else output.print([`the daemon restarts ${leaves.join(', ')}; graft status --watch shows it`])
    return 0
  }
  const begun = Date.now()
  const told = new Map<string, LeafStatus>()
  const ended = new AbortController()
  const stopped = surroundings.onStop(() => ended.abort())
  try {
    while (!ended.signal.aborted && told.size < leaves.length) {
      const status = await askDaemon(sockets, askStatus)
      if (status === null) {
        throw new Mistake('the daemon ended meanwhile', 'see with graft status what was done, and ask again')
      }
      for (const leaf of leavesOf(status)) {
        if (!leaves.includes(leaf.name) || told.has(leaf.name)) continue
        if (leaf.restart === null || leaf.restart.state === 'asked') continue
        told.set(leaf.name, leaf)
        if (!json) output.print([resultLine(leaf, output.palette)])
      }
      if (told.size < leaves.length) await sleep(EVERY, undefined, { signal: ended.signal }).catch(() => undefined)
    }
  } finally {
    stopped()
  }
  const restarts = Object.fromEntries([...told].map(([name, { restart }]) => [name, restart]))
  const done = [...told.values()].filter(({ restart }) => restart?.state === 'done').length
  if (json) output.printJson({ format: 1, daemon: true, leaves, restarts })
  else if (ended.signal.aborted) output.print(['the daemon goes on with it; graft status shows how far it is'])
  else {
    const took = output.palette.dim(duration(Date.now() - begun))
    output.print(['', `${output.palette.bold(`${done} of ${leaves.length} restarted`)}  ${took}`])
  }
  return ended.signal.aborted ? 130 : done === leaves.length ? 0 : 1
}

const EVERY = 300

function resultLine(leaf: LeafStatus, palette: Invocation['output']['palette']): string {
  const { name, restart, lastSwap } = leaf
  if (restart?.state !== 'done') return notRestarted(name, restart?.message ?? null, palette)
  const swap = lastSwap !== null && lastSwap.at >= restart.at ? swapText(lastSwap) : ''
  return `${palette.good('✓')} ${palette.bold(name)}  restarted${swap === '' ? '' : `  ${palette.dim(swap)}`}`
}

function leavesOf({ tree, departed }: Status): LeafStatus[] {
  const inside = (set: SetStatus): LeafStatus[] => [...set.leaves, ...set.sets.flatMap(inside)]
  return [...(tree === null ? [] : inside(tree)), ...departed]
}

async function byItself(invocation: Invocation, opened: Opened): Promise<number> {
  const { deployment, settings } = opened
  const host = await hostFilesOf(deployment)
  const known = await newestReadable(deployment, host)
  if (known === null) {
    throw new Mistake(
      'no commit of this repository reads, so it is not known what is deployed',
      'see what is wrong with graft validate',
    )
  }
  const chosen = chooseForRestart(known.tree, invocation.args[0] ?? '')
  if (!('leaves' in chosen)) throw new Mistake(chosen.message, chosen.remedy)
  const opening = await openEngine(settings, invocation.surroundings.env)
  try {
    const { hold, engine } = await takeHold(deployment, opening, {
      name: known.tree.name,
      command: 'graft restart',
      tell: (words) => invocation.output.say([words]),
    })
    if (!hold.held) throw new Mistake(hold.because, hold.remedy)
    try {
      return await bringAbout(known, deployment.wish(known, host, false), engine, invocation, opened, chosen.leaves)
    } finally {
      await hold.release()
    }
  } finally {
    opening.connection.close()
  }
}
