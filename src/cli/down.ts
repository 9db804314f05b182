// graft down: takes a deployment away from an engine, dependents first; its data only when the person types its name.

import { rm } from 'node:fs/promises'

import type { Bound } from '../daemon/binding.ts'
import type { Accepted } from '../daemon/open-deployment.ts'
import { nothingWanted } from '../daemon/nothing-wanted.ts'
import type { Wish } from '../daemon/reconcile.ts'
import { askStatus } from '../http/control-client.ts'
import { RepositoryFault } from '../repository/repository.ts'
import { downLines, type Remains } from '../report/down-lines.ts'
import { saysYes, typesWord } from './ask.ts'
import { bringAbout } from './bring-about.ts'
import { examples, isSet, textOf, type CommandModule, type Invocation } from './command.ts'
import { askDaemon, socketsOf } from './daemon-place.ts'
import { lookAtRemains, removeRest } from './down-rest.ts'
import { takeHold } from './hold.ts'
import { Mistake } from './mistakes.ts'
import { newestReadable, openForCommand, type Opened } from './open-command.ts'
import { openEngine, type OpenedEngine } from './open-engine.ts'

export const down: CommandModule = {
  configure(command) {
    command
      .description(
        'Takes the deployment away from the engine: its containers, those first that depend on others, its networks, its marks, its image tags, its lock and what graft keeps of it on this host. The repository and the clone of it stay. Volumes and the data in them stay, too, unless --volumes is given and the name is typed.',
      )
      .option('--volumes', 'remove its volumes and their data, too')
      .option('--confirm <NAME>', "the deployment's name, instead of typing it, for --volumes")
      .option('--dry-run', 'only show what would be removed')
      .option('--yes', 'do not ask')
      .option('--json', 'print JSON at the end')
      .addHelpText(
        'after',
        examples([
          ['graft down --dry-run', 'look first'],
          ['graft down', 'all but the data'],
          ['graft down --volumes', 'the data, too; asks for the name'],
        ]),
      )
  },
  async run(invocation) {
    const opened = await openForCommand(invocation)
    const { deployment, settings } = opened
    try {
      await refuseWithDaemon(invocation, opened)
      const known = await knownOf(opened)
      const opening = await openEngine(settings, invocation.surroundings.env)
      try {
        const { name } = known.bound
        const { hold, engine } = await takeHold(deployment, opening, {
          name,
          command: 'graft down',
          tell: (words) => invocation.output.say([words]),
        })
        if (!hold.held) throw new Mistake(hold.because, 'end that one first: it would bring everything back')
        let exitCode: number | null = null
        try {
          exitCode = await takeDown(known, engine, invocation, opened)
        } finally {
          await hold.release()
        }
        if (exitCode !== 0 || isSet(invocation.own, 'dryRun')) return exitCode
        await rm(deployment.state.deployment(name, opening.connection.facts.id), { recursive: true, force: true })
        await deployment.unbind()
        return 0
      } finally {
        opening.connection.close()
      }
    } finally {
      await deployment.close()
    }
  },
}

interface Known {
  readonly bound: Bound
  readonly wish: Wish
}

/** A repository that does not read, or is not there any more, is no reason to keep what runs. */
async function knownOf({ deployment }: Opened): Promise<Known> {
  const host = await deployment.hostFiles()
  const bound = await deployment.bound()
  let accepted: Accepted | null = null
  try {
    accepted = await newestReadable(deployment, host)
  } catch (error) {
    if (bound === null || !(error instanceof RepositoryFault)) throw error
  }
  const named = bound ?? accepted?.tree ?? null
  if (named === null) {
    throw new Mistake(
      'no commit of this repository reads, so it is not known what is deployed',
      'see what is wrong with graft validate',
    )
  }
  const isSame = accepted?.tree.name === named.name
  return { bound: named, wish: nothingWanted(named, isSame ? accepted : null) }
}

async function refuseWithDaemon({ surroundings }: Invocation, { deployment }: Opened): Promise<void> {
  const status = await askDaemon(await socketsOf(deployment, surroundings.env), askStatus)
  if (status === null) return
  throw new Mistake(
    `a daemon (process ${status.daemon?.pid ?? '?'}) looks after ${status.deployment ?? 'this deployment'}, and would bring everything back`,
    'end it first (systemctl disable --now graft, or kill its process), then say it again',
  )
}

async function takeDown(
  { bound, wish }: Known,
  engine: OpenedEngine,
  invocation: Invocation,
  opened: Opened,
): Promise<number> {
  const { own, output } = invocation
  const withVolumes = isSet(own, 'volumes')
  const json = isSet(own, 'json')
  const before = await lookAtRemains(engine, bound.name, wish, opened, withVolumes)
  if (!json) output.print(downLines(bound.name, before, output.palette))
  if (isSet(own, 'dryRun')) {
    if (json) output.printJson({ format: 1, deployment: bound.name, done: false, ...before })
    return 0
  }
  if (!(await isMeant(bound.name, before, withVolumes, invocation))) {
    output.say(['nothing was removed'])
    return 1
  }
  const judgement: Accepted = {
    tree: wish.tree,
    problems: [],
    refused: new Map(),
    departed: wish.departed,
    commit: null,
    admitted: true,
  }
  const quiet = { ...invocation, output: { ...output, printJson: () => undefined } }
  const exitCode = before.containers.length === 0 ? 0 : await bringAbout(judgement, wish, engine, quiet, opened)
  const left = exitCode === 0 ? await removeRest(engine, bound.name, wish, opened, before.volumes) : []
  if (json)
    output.printJson({ format: 1, deployment: bound.name, done: exitCode === 0 && left.length === 0, ...before, left })
  else if (left.length > 0) output.print(left.map((text) => `${output.palette.bad('✗')} ${text}`))
  else if (exitCode === 0)
    output.print([`${bound.name} is gone${before.kept.length > 0 ? '; its volumes are still there' : ''}`])
  return exitCode !== 0 || left.length > 0 ? 1 : 0
}

async function isMeant(name: string, remains: Remains, withVolumes: boolean, invocation: Invocation): Promise<boolean> {
  if (withVolumes && remains.volumes.length > 0) {
    const confirmed = textOf(invocation.own, 'confirm')
    if (confirmed !== undefined && confirmed !== name) {
      throw new Mistake(`the deployment is called ${name}, not ${confirmed}`, `say --confirm ${name}`)
    }
    const question = `The data in ${remains.volumes.length === 1 ? 'its volume' : `its ${remains.volumes.length} volumes`} cannot be brought back. Type the deployment's name to remove it:`
    const instead = `--confirm ${name} says that the volumes are meant`
    if (confirmed === undefined && !(await typesWord(invocation, question, name, instead))) return false
    return confirmed === undefined || (await saysYes(invocation, `Take ${name} down?`))
  }
  return saysYes(invocation, `Take ${name} down?`)
}
