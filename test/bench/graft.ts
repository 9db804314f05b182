// graft in two forms: the cold command `graft apply`, and a daemon's rooms that are warm. Both read a real Git
// repository, and both are timed from the commit on.

import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'

import { runCommand } from '../../src/demo/run-command.ts'
import { setStage, type Stage } from '../engine/stage/stage.ts'
import type { Contender } from './contender.ts'
import { type Gate, leafText, type Service } from './fleet.ts'
import { type Ground, removeLabelled } from './ground.ts'

/** Seen from where this is compiled to: the program as `npm run build` leaves it. */
export const MAIN = fileURLToPath(new URL('../../../main.js', import.meta.url))

/** Leaves lie in sets of ten. */
export function leafFiles(fleet: readonly Service[], gate: Gate, more = ''): Record<string, string> {
  const files: Record<string, string> = {}
  fleet.forEach((service, index) => {
    const set = `set-${String(Math.floor(index / 10) + 1).padStart(2, '0')}`
    files[`${set}/set.yaml`] = 'description: some services\n'
    files[`${set}/${service.name}.yaml`] = leafText(service, gate, more)
  })
  return files
}

export async function graftApply(ground: Ground, gate: Gate): Promise<Contender> {
  const stage = await setStage({ engineUrl: ground.url })
  const args = ['apply', '--repo', stage.repo, '--state', stage.state, '--engine', ground.url]
  return {
    ...common(stage, ground, gate),
    name: gate === 'none' ? 'graft apply' : 'graft apply, with a gate',
    note:
      gate === 'none'
        ? 'the whole command, with no check, `settle: 0s` and `drain: 0s`: nothing to prove and nobody to wait for'
        : 'the whole command; a tcp check must pass, and the old container drains for at least half a second',
    async make() {
      const outcome = await runCommand(process.execPath, [MAIN, ...args])
      if (outcome.code !== 0) throw new Error(`graft apply failed:\n${outcome.stdout}${outcome.stderr}`)
    },
  }
}

export async function graftDaemon(ground: Ground, gate: Gate): Promise<Contender> {
  const stage = await setStage({ engineUrl: ground.url })
  const stop = attachEvents(stage)
  const { reconciler } = stage.reconciler()
  return {
    ...common(stage, ground, gate),
    name: 'graft, warm daemon',
    note: 'from the commit to the end of the last table, by rooms that are warm, with no check, `settle: 0s` and `drain: 0s`',
    async make() {
      const { results } = await reconciler.settle(await stage.wish(), new AbortController().signal)
      const bad = results.find(({ outcome }) => outcome.kind !== 'done')
      if (bad !== undefined) throw new Error(`graft failed: ${JSON.stringify(bad.outcome)}`)
    },
    async rest() {
      // The events of what it did itself make it look once more.
      await sleep(500)
      await reconciler.turn(await stage.wish())
    },
    async end() {
      stop()
      await endStage(stage, ground)
    },
  }
}

/** As the daemon does: only with an events stream may a look believe an earlier one. */
export function attachEvents(stage: Stage): () => void {
  const abort = new AbortController()
  const listen = async (): Promise<void> => {
    for await (const event of stage.engine.events(stage.name, abort.signal)) void event
  }
  listen().catch(() => undefined)
  return () => abort.abort()
}

export async function endStage(stage: Stage, ground: Ground): Promise<void> {
  await removeLabelled(ground.docker, `dev.graft.deployment=${stage.name}`)
  await stage.end()
}

function common(
  stage: Stage,
  ground: Ground,
  gate: Gate,
): Pick<Contender, 'label' | 'serviceOf' | 'want' | 'rest' | 'end'> {
  return {
    label: `dev.graft.deployment=${stage.name}`,
    // Strict: only the container that holds the service's name counts, for that is how others find it.
    serviceOf: (labels, name) => (name === `${stage.name}-${labels['dev.graft.leaf']}` ? name : null),
    async want(fleet) {
      await stage.commit(leafFiles(fleet, gate))
    },
    rest: async () => undefined,
    end: () => endStage(stage, ground),
  }
}
