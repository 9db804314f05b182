// Which steps of a list belong together when they are carried out: names that switch, and proofs that go on side by side.

import type { Action } from '../plan/step.ts'

/**
 * `switching`: from the first rename to the last one, while nobody renders a configuration from half of it.
 * `proving`: new containers of one switch, watched side by side.
 */
export interface Section<T> {
  readonly kind: 'plain' | 'switching' | 'proving'
  readonly steps: readonly T[]
}

type Do = Action['do']

const SWITCHING: Between = { edge: 'rename', between: new Set(['rename', 'restart-policy', 'mark-job-done']) }
const PROVING: Between = { edge: 'prove', between: new Set(['prove', 'restart-policy']) }

interface Between {
  /** What a section begins and ends with. */
  readonly edge: Do
  readonly between: ReadonlySet<Do>
}

/** The steps in their order, in sections. */
export function sectionsOf<T>(steps: readonly T[], actionOf: (step: T) => Action): Section<T>[] {
  const doing = steps.map((step) => actionOf(step).do)
  const sections: Section<T>[] = []
  for (let index = 0; index < steps.length;) {
    const kind = doing[index] === SWITCHING.edge ? 'switching' : doing[index] === PROVING.edge ? 'proving' : 'plain'
    const end = kind === 'plain' ? index + 1 : endOf(doing, index, kind === 'switching' ? SWITCHING : PROVING)
    sections.push({ kind, steps: steps.slice(index, end) })
    index = end
  }
  return sections
}

function endOf(doing: readonly Do[], from: number, { edge, between }: Between): number {
  let end = from + 1
  for (let index = from + 1; index < doing.length; index++) {
    const action = doing[index]
    if (action === undefined || !between.has(action)) break
    if (action === edge) end = index + 1
  }
  return end
}

/**
 * Where the slot for a start is to be taken: before the first stop that a start follows, and before the change of the
 * restart policy that belongs to it. Null where nothing goes down for something else.
 */
export function slotBefore(doing: readonly Do[]): number | null {
  const stop = doing.findIndex((action, index) => action === 'stop' && doing.includes('start', index))
  if (stop === -1) return null
  let first = stop
  while (first > 0 && doing[first - 1] === 'restart-policy') first--
  return first
}
