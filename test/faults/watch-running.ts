// How many containers of one leaf run at a time, by the engine's list and, where that names two, by their processes: an
// engine whose disk is full cannot note that one has ended, and lists it as running until it can.

import type { Watch } from '../crash/crash-run.ts'
import type { Stage } from '../engine/stage/stage.ts'

/** Looks as often as the engine answers, until it is stopped. `doubles`: what was seen of two, for a message. */
export function watchRunning(stage: Stage, leaf: string): { stop(): Promise<Watch & { readonly doubles: string[] }> } {
  let ended = false
  const seen = { most: 0, fewest: Number.POSITIVE_INFINITY, looks: 0 }
  const doubles: string[] = []
  const filters = { label: [`dev.graft.deployment=${stage.name}`, `dev.graft.leaf=${leaf}`], status: ['running'] }
  const looking = (async () => {
    while (!ended) {
      try {
        const rows = await stage.docker.listContainers({ filters })
        const alive = rows.length > 1 ? await aliveOf(stage, rows) : null
        seen.most = Math.max(seen.most, alive?.length ?? rows.length)
        seen.fewest = Math.min(seen.fewest, alive?.length ?? rows.length)
        seen.looks++
        if (alive !== null && alive.length > 1) doubles.push(`${new Date().toISOString()} ${alive.join(', ')}`)
      } catch {
        // The engine does not answer at the moment.
      }
      await new Promise((resolve) => setTimeout(resolve, 10))
    }
  })()
  return {
    async stop() {
      ended = true
      await looking
      return { ...seen, doubles }
    },
  }
}

/** `NAME process PID` of those whose process lives at one time: the processes are looked for when all are known. */
async function aliveOf(stage: Stage, rows: readonly { readonly Id: string }[]): Promise<string[]> {
  const inspected = await Promise.all(
    rows.map(({ Id }) =>
      stage.docker
        .getContainer(Id)
        .inspect()
        .catch(() => null),
    ),
  )
  return inspected.flatMap((one) =>
    one !== null && one.State.Running && lives(one.State.Pid) ? [`${one.Name} process ${one.State.Pid}`] : [],
  )
}

function lives(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return pid > 0
  } catch {
    return false
  }
}
