// The watch of a scene. An engine whose disk is full cannot note that a container has ended, and lists it as running until
// it can: where its list names two of a leaf, their processes are looked for.

import { watchEngine, type Seen, type Watched } from '../crash/watch-engine.ts'
import type { Stage } from '../engine/stage/stage.ts'
import type { Look, SeenContainer } from '../invariants/look.ts'

/** Images are left out: the tests themselves take some away, so that they have to be pulled. */
export function watchRunning(stage: Stage, watched: Watched): { stop(): Promise<Seen> } {
  return watchEngine(stage, { ...watched, images: false, correct: (look) => byProcess(stage, look) })
}

async function byProcess(stage: Stage, look: Look): Promise<Look> {
  const isListed = ({ deployment, leaf, running }: SeenContainer) =>
    running && leaf !== null && deployment === stage.name
  const listed = look.containers.filter(isListed)
  const doubles = listed.filter((one) => listed.some((other) => other !== one && other.leaf === one.leaf))
  if (doubles.length === 0) return look
  // The processes are looked for when all are known, so that those that are found live at one time.
  const inspected = await Promise.all(
    doubles.map(({ id }) =>
      stage.docker
        .getContainer(id)
        .inspect()
        .catch(() => null),
    ),
  )
  const alive = new Set(
    inspected.flatMap((one) => (one !== null && one.State.Running && lives(one.State.Pid) ? [one.Id] : [])),
  )
  const ended = new Set(doubles.map(({ id }) => id).filter((id) => !alive.has(id)))
  return { ...look, containers: look.containers.map((one) => (ended.has(one.id) ? { ...one, running: false } : one)) }
}

function lives(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return pid > 0
  } catch {
    return false
  }
}
