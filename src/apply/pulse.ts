// Whether the engine answers while something else is waited for: what is late because of it is nobody else's fault.

import type { Clock } from './clock.ts'
import type { Engine } from './engine.ts'

/** Milliseconds. */
const BEAT = 1_000
/** An engine that takes this long (milliseconds) to say how a container is, was away. */
export const AWAY_AFTER = 5_000

/** Looks at the container every second until `work` ends; `onAway` is told where the engine does not answer in time. */
export async function withPulse<T>(
  work: Promise<T>,
  { engine, clock, id }: { readonly engine: Engine; readonly clock: Clock; readonly id: string },
  onAway: () => void,
): Promise<T> {
  const over = new AbortController()
  const { signal } = over
  const ended = new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve()))
  const beating = (async () => {
    for (;;) {
      await clock.sleep(BEAT, signal)
      if (signal.aborted) return
      const asked = clock.steady()
      const answered = engine.inspect(id).then(
        () => undefined,
        () => (signal.aborted ? undefined : onAway()),
      )
      await Promise.race([answered, ended])
      if (clock.steady() - asked >= AWAY_AFTER) onAway()
    }
  })()
  try {
    return await work
  } finally {
    over.abort()
    await beating
  }
}
