// graft trace: from a container to its leaf, generation, commit, author, file and line, and pull request.

import { EngineFault } from '../apply/engine.ts'
import { knownNodes, type KnownNodes } from '../daemon/node-history.ts'
import type { HistoryLine } from '../daemon/history-index.ts'
import { commitOf, originOf } from '../daemon/trace-leaf.ts'
import { nearest } from '../desired/nearest.ts'
import type { ObservedContainer } from '../plan/observed.ts'
import { readName } from '../plan/names.ts'
import { traceJson } from '../report/history-json.ts'
import type { Trace, TracedContainer } from '../report/trace.ts'
import { traceLines } from '../report/trace-lines.ts'
import { examples, isSet, type CommandModule, type Invocation } from './command.ts'
import { Mistake } from './mistakes.ts'
import { openForCommand, type Opened } from './open-command.ts'
import { openEngine } from './open-engine.ts'
import { requestPage } from './request-page.ts'
import { wholeLine } from './whole-line.ts'

export const traceCommand: CommandModule = {
  configure(command) {
    command
      .description(
        'Goes from a container to where it comes from: its leaf and generation, the commit that gave the generation its meaning, its author, file and line, and the pull request where the message names one.',
      )
      .argument('<CONTAINER>', "a container's name, the beginning of its id, or a leaf's name")
      .option('--json', 'print JSON')
      .addHelpText(
        'after',
        examples([
          ['graft trace nova-api', ''],
          ['graft trace 3f9c01ab', 'as docker ps shows it'],
          ['graft trace nova-api.failed', 'the candidate that failed last'],
        ]),
      )
  },
  async run(invocation) {
    const opened = await openForCommand(invocation)
    try {
      const trace = await traceOf(invocation, opened)
      const { output, own } = invocation
      if (isSet(own, 'json')) output.printJson(traceJson(trace))
      else output.print(traceLines(trace, { palette: output.palette, now: Date.now(), place: opened.place }))
      return 0
    } finally {
      await opened.deployment.close()
    }
  },
}

async function traceOf(invocation: Invocation, opened: Opened): Promise<Trace> {
  const { deployment, settings } = opened
  const [asked = ''] = invocation.args
  const { commit: tip } = await deployment.repository.refresh()
  const line = await wholeLine(deployment, tip.id, invocation.output)
  const known = knownNodes(line)
  let containers: readonly ObservedContainer[] = []
  let engineFault: Trace['engineFault'] = null
  try {
    const { connection, engine } = await openEngine(settings, invocation.surroundings.env)
    try {
      containers = (await engine.observe(known.deployment, [])).containers
    } finally {
      connection.close()
    }
  } catch (error) {
    // What the repository knows of a leaf does not need the engine.
    if (!(error instanceof EngineFault) || !known.leaves.has(asked)) throw error
    engineFault = { message: error.message, remedy: error.remedy }
  }
  const found = containerMeant(containers, asked)
  const leaf = found?.labels.leaf ?? (known.leaves.has(asked) ? asked : null)
  if (leaf === null) throw nothingMeant(asked, known, containers)
  return { ...(await traceLeaf(leaf, found, line, known, opened)), engineFault }
}

async function traceLeaf(
  leaf: string,
  found: ObservedContainer | null,
  line: HistoryLine,
  known: KnownNodes,
  opened: Opened,
): Promise<Omit<Trace, 'engineFault'>> {
  const { deployment } = opened
  const declared = known.leaves.get(leaf)?.to ?? null
  const generation = found?.labels.generation ?? declared
  const origin = generation === null ? null : await originOf(deployment, line, leaf, generation)
  const made = found === null ? null : await commitOf(deployment, line, found.labels.commit)
  return {
    deployment: known.deployment,
    leaf,
    set: known.leaves.get(leaf)?.set ?? null,
    container: found === null ? null : tracedContainer(found),
    generation,
    declared,
    introduced: origin?.introduced ?? null,
    written: origin?.written ?? null,
    place: origin?.place ?? null,
    madeFor: made?.id === origin?.introduced.id ? null : made,
    pullRequest:
      origin?.pullRequest == null
        ? null
        : { ...origin.pullRequest, link: await requestPage(origin.pullRequest, opened) },
  }
}

/** By its name, then as the live one of a leaf, then by the beginning of its id. */
function containerMeant(containers: readonly ObservedContainer[], asked: string): ObservedContainer | null {
  const named = containers.find(({ name }) => name === asked.replace(/^\//, ''))
  if (named !== undefined) return named
  const ofLeaf = containers.filter(({ labels }) => labels.leaf === asked && labels.kind !== 'lock')
  const live = ofLeaf.find((container) => roleOf(container) === 'live')
  if (live !== undefined) return live
  const begins = /^[0-9a-f]{4,64}$/.test(asked) ? containers.filter(({ id }) => id.startsWith(asked)) : []
  if (begins.length > 1) {
    const list = begins.map(({ id, name }) => `${id.slice(0, 12)} ${name}`).join(', ')
    throw new Mistake(`more than one container's id begins with ${asked}`, `write more of it: ${list}`)
  }
  return begins[0] ?? ofLeaf[0] ?? null
}

/** The prefix is whatever stands before the leaf's name. */
function roleOf({ name, labels }: ObservedContainer): TracedContainer['role'] {
  const dot = name.indexOf('.')
  const whole = dot === -1 ? name : name.slice(0, dot)
  return readName(whole.slice(0, Math.max(0, whole.length - labels.leaf.length)), name)?.role ?? 'live'
}

function tracedContainer(container: ObservedContainer): TracedContainer {
  const { id, name, state, health, labels, imageId, startedAt } = container
  const { image, commit } = labels
  return { id, name, role: roleOf(container), state, health, image, imageId, startedAt, commit }
}

function nothingMeant(asked: string, known: KnownNodes, containers: readonly ObservedContainer[]): Mistake {
  const close = nearest(asked, [...containers.map(({ name }) => name), ...known.leaves.keys()])
  return new Mistake(
    `${known.deployment} has no container and no leaf ${asked}`,
    close === null ? 'graft status shows what there is' : `did you mean ${close}?`,
  )
}
