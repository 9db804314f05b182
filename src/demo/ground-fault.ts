// The one error of the ground that the demo and the tests stand on: what went wrong and what a person can do, in
// plain sentences.

/** `message`: what happened. `remedy`: what to do about it, one or more sentences. */
export class GroundFault extends Error {
  readonly remedy: string
  constructor(message: string, remedy: string, options?: { cause?: unknown }) {
    super(message, options)
    this.name = 'GroundFault'
    this.remedy = remedy
  }
}
