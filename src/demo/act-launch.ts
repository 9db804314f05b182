// The first act: the whole tree comes up from the first commit.

import { createLaunchView } from './launch-view.ts'
import { claim } from './demo-failure.ts'
import { type DemoDeployment, isUp, leavesAt } from './demo-deployment.ts'
import type { DemoStage } from './demo-stage.ts'
import { duration } from '../report/durations.ts'

export interface Launched {
  readonly leaves: number
  readonly sets: number
  /** Milliseconds from the daemon's start until all was as declared. */
  readonly took: number
}

const PATIENCE = 300_000
/** Each is tried again by itself; so many are no chance. */
const MOST_FAULTS = 5

export async function launch(
  stage: DemoStage,
  deployment: DemoDeployment,
  commit: string,
  begun: number,
): Promise<Launched> {
  const { tree, events } = deployment
  const { palette } = stage
  const view = createLaunchView(tree.root, palette, begun)
  const draw = (now: number, columns: number, rows: number): readonly string[] => view.lines(now, columns, rows)
  stage.live(draw)
  let seen = 0
  const faults: string[] = []
  let asked = 0
  const leaves = await stage.until('all leaves come up', PATIENCE, async () => {
    await deployment.follow()
    for (const event of events.slice(seen)) {
      const completed = view.take(event)
      if (!stage.isTerminal)
        for (const { path, leaves: number, took } of completed)
          stage.say(`  ${path}: ${number} of ${number}, ${duration(took)}  (${view.done()} of ${view.total} in all)`)
      claim(event.event !== 'failed', `${event.leaf ?? ''} did not come up: ${event.reason}`, event.log)
      if (event.event === 'fault' && event.reason !== '') faults.push(`${event.leaves.join(', ')}: ${event.reason}`)
      claim(faults.length < MOST_FAULTS, 'the engine refuses again and again', faults)
      claim(event.event !== 'unreadable' && event.event !== 'host-problems', event.message)
    }
    seen = events.length
    if (view.done() < view.total || Date.now() - asked < 200) return null
    asked = Date.now()
    const all = leavesAt(await deployment.status(), commit)
    return all !== null && all.length === tree.leaves.size && all.every(isUp) ? all : null
  })
  // The last leaf's own time, not the time at which this saw it.
  const last = Math.max(...events.filter(({ event }) => event === 'done').map(({ time }) => time))
  stage.live(null)
  if (stage.isTerminal) stage.say(...view.lines(last, 200, 1000))
  const sets = countSets(tree.root) - 1
  stage.say(
    '',
    `  ${palette.good('✓')} ${palette.bold(`${leaves.length} leaves in ${sets} sets run as declared`)} after ${duration(last - begun)}`,
  )
  return { leaves: leaves.length, sets, took: last - begun }
}

function countSets(set: DemoDeployment['tree']['root']): number {
  return 1 + set.sets.reduce((sum, inner) => sum + countSets(inner), 0)
}
