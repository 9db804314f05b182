// What is compared: whoever can bring a fleet of services to a wanted state and say how long it took.

import type { ServiceOf } from './availability.ts'
import type { Service } from './fleet.ts'

export interface Contender {
  readonly name: string
  /** One line on what exactly is timed. */
  readonly note: string
  /** Writes down what is wanted; not timed. */
  want(fleet: readonly Service[]): Promise<void>
  /** Makes it so; timed. Rejects where it did not come true. */
  make(): Promise<void>
  /** What follows by itself before the next task; not timed. */
  rest(): Promise<void>
  /** Label that all its containers carry: `key` or `key=value`. */
  readonly label: string
  readonly serviceOf: ServiceOf
  end(): Promise<void>
}
