// Limits how many of the engine's slow calls go on at once. Who has taken something down does not queue.

import PQueue from 'p-queue'

import type { Action } from '../plan/step.ts'

/** Gives a slot back; a second call does nothing. */
export type Release = () => void

export interface Throttle {
  /** Does the work of one action; one that loads the engine waits for a slot first. */
  run<T>(action: Action['do'], work: () => Promise<T>): Promise<T>
  /** Waits for a slot and keeps it: for a start that must follow a stop without a wait between them. */
  take(): Promise<Release>
}

/** Creates and starts are what loads an engine; what ends with a start comes first, since something may be down for it. */
const PRIORITIES: ReadonlyMap<Action['do'], number> = new Map([
  ['start', 2],
  ['put-files', 1],
  ['create', 0],
])

/** `parallel`: slots, 1 or more. */
export function createThrottle(parallel: number): Throttle {
  const queue = new PQueue({ concurrency: parallel })
  return {
    run(action, work) {
      const priority = PRIORITIES.get(action)
      return priority === undefined ? work() : queue.add(work, { priority })
    },
    take: () =>
      new Promise((taken) => {
        const held = () => new Promise<void>((release) => taken(release))
        void queue.add(held, { priority: 2 })
      }),
  }
}
