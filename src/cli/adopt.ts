// graft adopt: takes over containers that somebody else made, without a restart where they are what leaves declare.

import { createRunDigest } from '../plan/run-digest.ts'
import { rewriteReference } from '../engine/mirrors.ts'
import { onlyLeaves } from '../daemon/only-leaves.ts'
import type { Accepted } from '../daemon/open-deployment.ts'
import type { Wish } from '../daemon/reconcile.ts'
import { askWake } from '../http/control-client.ts'
import { planAdoptions, type Adoption } from '../plan/adoption.ts'
import { matchContainers, type Asked, type Unmatched } from '../plan/adoption-match.ts'
import { situations } from '../plan/situation.ts'
import { adoptionLines } from '../report/adoption-lines.ts'
import { saysYes } from './ask.ts'
import { bringAbout } from './bring-about.ts'
import { examples, isSet, textOf, type CommandModule, type Invocation } from './command.ts'
import { askDaemon, socketsOf } from './daemon-place.ts'
import { takeHold } from './hold.ts'
import { Mistake, Problems } from './mistakes.ts'
import { hostFilesOf, judgeTip, openForCommand, reads, type Opened } from './open-command.ts'
import { openEngine, type OpenedEngine } from './open-engine.ts'

export const adopt: CommandModule = {
  configure(command) {
    command
      .description(
        'Takes over running containers that docker run or Compose made, and nothing else. One that is what its leaf declares goes on as it is: it gets the leaf’s name, its restart policy and its limits while it runs. Any other is swapped, as in every swap. What a container is not to lose stays: one with data that its leaf does not mount is left alone.\nA container is found by the leaf’s name, or by the labels of Compose.',
      )
      .argument('[NAME[=CONTAINER]...]', 'leaves; left out: all that have no container yet and for which there is one')
      .option('--project <PROJECT>', "Compose's project; left out: the deployment's name")
      .option('--leave-data', 'also take over containers whose data a new one would not see')
      .option('--dry-run', 'only show what would be done')
      .option('--yes', 'do not ask')
      .option('--json', 'print JSON')
      .addHelpText(
        'after',
        examples([
          ['graft adopt --dry-run', 'see what is found, and how it differs'],
          ['graft adopt web', 'the container web, or the service web'],
          ['graft adopt web=old-web-1', 'a container of another name'],
          ['graft adopt --project shop-prod', 'all services of a Compose project'],
        ]),
      )
  },
  async run(invocation) {
    const opened = await openForCommand(invocation)
    const { deployment, settings } = opened
    try {
      const host = await hostFilesOf(deployment)
      const judgement = await judgeTip(deployment, host)
      if (!reads(judgement)) throw new Problems(judgement.problems)
      const wish = deployment.wish(judgement, host, false)
      const engine = await openEngine(settings, invocation.surroundings.env)
      try {
        return await adoptWith({ judgement, wish, engine }, invocation, opened)
      } finally {
        engine.connection.close()
      }
    } finally {
      await deployment.close()
    }
  },
}

interface Ground {
  readonly judgement: Accepted
  readonly wish: Wish
  readonly engine: OpenedEngine
}

interface Found {
  readonly adoptions: readonly Adoption[]
  readonly unmatched: readonly Unmatched[]
}

async function adoptWith(ground: Ground, invocation: Invocation, opened: Opened): Promise<number> {
  const { own, output } = invocation
  const json = isSet(own, 'json')
  const found = await look(ground, invocation, opened)
  const tell = (change: { readonly adopted: boolean; readonly daemon: boolean }) =>
    output.printJson({ format: 1, ...change, ...dataOf(found) })
  if (!json) output.print(adoptionLines(found.adoptions, found.unmatched, output.palette))
  if (found.adoptions.length === 0) {
    if (json) tell({ adopted: false, daemon: false })
    else if (found.unmatched.length === 0) output.print(['there is nothing to take over'])
    return found.unmatched.length === 0 ? 0 : 1
  }
  const rest = found.unmatched.length === 0 ? 0 : 1
  if (isSet(own, 'dryRun')) {
    if (json) tell({ adopted: false, daemon: false })
    return rest
  }
  if (!(await saysYes(invocation, 'Take them over?'))) {
    output.say(['nothing was taken over'])
    return 1
  }
  const sockets = await socketsOf(opened.deployment, invocation.surroundings.env)
  const isDaemonHere = (await askDaemon(sockets, async (socket) => ((await askWake(socket)) ? true : null))) ?? false
  if (isDaemonHere) {
    for (const { container } of found.adoptions) await ground.engine.engine.adopt(container)
    await askDaemon(sockets, askWake)
    if (json) tell({ adopted: true, daemon: true })
    else output.print(['taken over; the daemon does the rest, graft status --watch shows it'])
    return rest
  }
  const exitCode = await byItself(found, ground, invocation, opened)
  return exitCode === 0 ? rest : exitCode
}

async function byItself(found: Found, ground: Ground, invocation: Invocation, opened: Opened): Promise<number> {
  const { judgement, wish } = ground
  const { deployment } = opened
  const { hold, engine } = await takeHold(deployment, ground.engine, {
    name: judgement.tree.name,
    command: 'graft adopt',
    tell: (words) => invocation.output.say([words]),
  })
  if (!hold.held) throw new Mistake(hold.because, hold.remedy)
  try {
    await wish.bind()
    for (const { container } of found.adoptions) await engine.engine.adopt(container)
    const names = new Set(found.adoptions.map(({ leaf }) => leaf))
    const { output } = invocation
    const printJson = (data: unknown) =>
      output.printJson({ ...(data as object), adopted: true, daemon: false, ...dataOf(found) })
    const saying = { ...invocation, output: { ...output, printJson } }
    return await bringAbout(judgement, onlyLeaves(wish, names), engine, saying, opened)
  } finally {
    await hold.release()
  }
}

async function look(
  { wish, engine: { engine } }: Ground,
  { args, own }: Invocation,
  { deployment, settings }: Opened,
): Promise<Found> {
  const { tree, refused } = wish
  const mirror = (reference: string) => rewriteReference(settings.mirrors ?? [], reference)
  const references = new Set([...tree.leaves.values()].map(({ spec }) => mirror(spec.image)))
  const observed = await engine.observe(tree.name, [...references])
  const found = situations(tree, observed)
  const { matches, unmatched } = matchContainers({
    tree,
    situations: found,
    foreign: await engine.unowned(),
    refused,
    asked: args.map(asked),
    project: textOf(own, 'project') ?? null,
  })
  const liveIds = new Map([...found].flatMap(([leaf, { live }]) => (live === null ? [] : [[leaf, live.id] as const])))
  const runDigest = createRunDigest(await deployment.state.hostKey())
  const adoptions = planAdoptions({ tree, observed, matches, liveIds, runDigest, mirror })
  if (isSet(own, 'leaveData')) return { adoptions, unmatched }
  const losing = adoptions.filter(({ leaves }) => leaves.length > 0)
  return {
    adoptions: adoptions.filter((adoption) => !losing.includes(adoption)),
    unmatched: [...unmatched, ...losing.map(losingData)],
  }
}

function losingData({ leaf, container, leaves }: Adoption): Unmatched {
  return {
    leaf,
    because: `a new container would not see what ${container.name} has: ${leaves.join(', ')}`,
    remedy: 'mount it in the leaf (a volume with external: true and its name), or say --leave-data',
  }
}

/** `NAME` or `NAME=CONTAINER`. */
function asked(text: string): Asked {
  const equals = text.indexOf('=')
  if (equals === -1) return { leaf: text, container: null }
  return { leaf: text.slice(0, equals), container: text.slice(equals + 1).replace(/^\//, '') }
}

function dataOf({ adoptions, unmatched }: Found): object {
  return {
    adoptions: adoptions.map(({ leaf, container: { id, name }, how, order, differs, mends, stays, leaves }) => ({
      leaf,
      container: { id, name },
      how,
      order,
      differs,
      mends,
      stays,
      leavesData: leaves,
    })),
    unmatched,
  }
}
