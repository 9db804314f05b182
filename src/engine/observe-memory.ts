// What earlier looks at an engine found, so that a look that finds nothing new asks for little. A container's facts
// are believed again only while an events stream is attached that would have told of a change.

import type { GraftLabels, ImageFacts, ObservedContainer } from '../plan/observed.ts'

interface Remembered {
  /** What the list said of it when it was inspected. */
  readonly row: string
  /** By the clock that never jumps: one that is set back would keep it for longer. */
  readonly at: number
  readonly container: ObservedContainer
}

/** Limits what a lost event can do. */
const BELIEVED_FOR = 5 * 60_000

export class ObserveMemory {
  /** Facts of images by id; an id names one content for ever. */
  readonly images = new Map<string, ImageFacts>()
  /** Containers that were taken over, by id, as the last list of volumes said. */
  adoptions = new Map<string, { readonly volume: string; readonly labels: GraftLabels }>()
  knowsAdoptions = false
  readonly #containers = new Map<string, Remembered>()
  #streams = 0
  #forgotten = 0

  /** An events stream that covers this engine's containers is open from now on; the result ends that. */
  attachStream(): () => void {
    this.#streams += 1
    this.forgetAll()
    let attached = true
    return () => {
      if (!attached) return
      attached = false
      this.#streams -= 1
      this.forgetAll()
    }
  }

  /** Something happened to this container. */
  forget(containerId: string): void {
    this.#forgotten += 1
    this.#containers.delete(containerId)
  }

  forgetAll(): void {
    this.#forgotten += 1
    this.#containers.clear()
  }

  /** Changes with every `forget`, so that an inspection that was under way meanwhile is not kept. */
  get stamp(): number {
    return this.#forgotten
  }

  /** The container as it was found before, where nothing speaks against it. */
  recall(containerId: string, row: string): ObservedContainer | null {
    const remembered = this.#containers.get(containerId)
    if (remembered === undefined || this.#streams === 0) return null
    if (remembered.row !== row || performance.now() - remembered.at > BELIEVED_FOR) return null
    return remembered.container
  }

  remember(container: ObservedContainer, row: string, stamp: number): void {
    if (this.#streams === 0 || stamp !== this.#forgotten) return
    this.#containers.set(container.id, { row, at: performance.now(), container })
  }

  /** Drops what is no longer there. */
  keepOnly(containerIds: ReadonlySet<string>): void {
    for (const id of this.#containers.keys()) if (!containerIds.has(id)) this.#containers.delete(id)
  }
}
