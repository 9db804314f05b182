// What the contract's tables say of one key of a spec, and the images they speak of.

import type { Spec } from '../../../src/desired/spec.ts'
import { BASE_IMAGE } from './sample-tree.ts'

export interface FieldCase {
  /** What is special about it; part of the test's name. */
  readonly about?: string
  /** What the leaf without the key has besides the plain spec. */
  readonly base?: Partial<Spec>
  readonly set: Partial<Spec>
  /** Fields that differ from the leaf without it. */
  readonly changes: readonly string[]
  /** An engine cannot tell that this was taken away. */
  readonly removalUnseen?: true
  /** An engine drops it where its kernel cannot do it. */
  readonly mayBeUnsupported?: keyof Spec
  /** Cannot run on a machine for tests. */
  readonly neverStarted?: true
  /** The engine's words where the machine has not the privileges that the container asks for. */
  readonly machineMayRefuse?: RegExp
  /** Oldest Engine API that has it. */
  readonly api?: string
  /** Path in the engine's inspection → value. `~` at the front: contains. */
  readonly reaches: Readonly<Record<string, unknown>>
}

export const OTHER_IMAGE = 'graft-test/other:1'
export const RICH_IMAGE = 'graft-test/rich:1'
export const IMAGES = [BASE_IMAGE, OTHER_IMAGE, RICH_IMAGE]
