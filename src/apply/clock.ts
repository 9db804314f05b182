// Time as an argument, so that simulations run on a clock of their own.

export interface Clock {
  /** Milliseconds since 1970, for what people read. It may jump, when somebody or NTP sets the host's clock. */
  now(): number
  /** Milliseconds since a moment of its own; it never jumps. For how long something takes, and until when it waits. */
  steady(): number
  /** Resolves after so many milliseconds, or at once when the signal is aborted; never throws. */
  sleep(milliseconds: number, signal?: AbortSignal): Promise<void>
}

export const systemClock: Clock = {
  now: () => Date.now(),
  steady: () => Math.round(performance.now()),
  sleep: (milliseconds, signal) =>
    new Promise((resolve) => {
      if (signal?.aborted === true) return resolve()
      const end = () => {
        clearTimeout(timer)
        signal?.removeEventListener('abort', end)
        resolve()
      }
      const timer = setTimeout(end, milliseconds)
      signal?.addEventListener('abort', end)
    }),
}
