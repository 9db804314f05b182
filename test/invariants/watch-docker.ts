// Looks at a real engine as often as it answers, and has the invariants judge every look.

import { setTimeout as sleep } from 'node:timers/promises'

import type Docker from 'dockerode'

import { watchInvariants, type Expected, type InvariantWatch, type Violation } from './invariants.ts'
import { lookAtDocker } from './look-docker.ts'
import type { Look } from './look.ts'

export interface DockerWatchOptions {
  readonly docker: Docker
  readonly expected: Expected
  /** As of `watchInvariants`. */
  readonly continuity: boolean
  /** Milliseconds between two looks. */
  readonly every: number
  /** As of `lookAtDocker`. */
  readonly images?: boolean
  /** What the list of an engine may have wrong is set right here, before it is judged. */
  readonly correct?: (look: Look) => Promise<Look>
  readonly onLook?: (look: Look) => void
}

export interface DockerWatch {
  readonly invariants: InvariantWatch
  looks(): number
  /** Looks a last time. */
  stop(): Promise<readonly Violation[]>
}

/** Milliseconds between two looks at what is not the deployment's. */
const FOREIGN_EVERY = 1_000

export function watchDocker(options: DockerWatchOptions): DockerWatch {
  const { docker, expected, continuity, every, images = true, correct, onLook } = options
  const invariants = watchInvariants(expected, { continuity })
  let ended = false
  let looks = 0
  let lastForeign = Number.NEGATIVE_INFINITY

  async function look(foreign: boolean): Promise<void> {
    // The engine is away now and then, and hangs: that is part of it.
    const seen = await lookAtDocker(docker, expected.deployment, { foreign, images }).catch(() => null)
    if (seen === null) return
    if (foreign) lastForeign = performance.now()
    const corrected = correct === undefined ? seen : await correct(seen).catch(() => null)
    if (corrected === null) return
    looks++
    invariants.see(corrected)
    onLook?.(corrected)
  }

  const looking = (async () => {
    while (!ended) {
      await look(performance.now() - lastForeign > FOREIGN_EVERY)
      await sleep(every)
    }
  })()
  return {
    invariants,
    looks: () => looks,
    async stop() {
      if (!ended) {
        ended = true
        await looking
        await look(true)
      }
      return invariants.violations()
    },
  }
}
