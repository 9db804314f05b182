// What is said of a failure that the daemon goes on after: what happened, and what to do.

import { EngineFault } from '../apply/engine.ts'
import { RepositoryFault } from '../repository/repository.ts'
import { stateFault } from './state-fault.ts'

/** `state`: the state folder, whose full disk has words of its own. */
export function faultWords(error: unknown, state: string): [string, string] {
  if (error instanceof RepositoryFault || error instanceof EngineFault) return [error.message, error.remedy]
  const full = stateFault(error, state)
  if (full !== null) return [full.message, full.remedy]
  return [error instanceof Error ? error.message : String(error), 'It is tried again by itself']
}
