// Whether the paths that the judged tree asks for still lead where they led: a link that somebody put there since is judged.

import type { HostPlaces } from '../desired/host-paths.ts'
import type { Tree } from '../desired/tree.ts'

export interface PathWatch {
  /** Looks, and remembers what was found. */
  look(tree: Tree): Promise<HostPlaces>
  /** Looks at the same paths again. How often they were found to lead elsewhere so far. */
  changes(): Promise<number>
}

/** `look` never throws. */
export function createPathWatch(look: (tree: Tree) => Promise<HostPlaces>): PathWatch {
  let last: { readonly tree: Tree; readonly led: string } | null = null
  let changes = 0
  return {
    async look(tree) {
      const places = await look(tree)
      last = { tree, led: ledTo(places) }
      return places
    },
    async changes() {
      if (last === null) return changes
      const led = ledTo(await look(last.tree))
      if (led !== last.led) changes++
      last = { tree: last.tree, led }
      return changes
    },
  }
}

function ledTo({ resolved, sockets }: HostPlaces): string {
  return JSON.stringify([[...resolved], [...sockets]])
}
