// Why a demo did not happen as told.

/** A claim of the demo that turned out wrong. `details` are lines that help to see why. */
export class DemoFailure extends Error {
  readonly details: readonly string[]
  constructor(message: string, details: readonly string[] = []) {
    super(message)
    this.name = 'DemoFailure'
    this.details = details
  }
}

/** The person pressed Ctrl-C. */
export class DemoStopped extends Error {
  constructor() {
    super('stopped')
    this.name = 'DemoStopped'
  }
}

export function claim(holds: boolean, words: string, details: readonly string[] = []): void {
  if (!holds) throw new DemoFailure(words, details)
}
