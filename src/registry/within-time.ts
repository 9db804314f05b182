// A limit of time for work that cannot be interrupted from within, such as somebody else's regular expression.

import { createContext, Script } from 'node:vm'

const CALL = new Script('work()')

/** The result of `work`; null where it takes longer than `limit` (milliseconds). Throws what `work` throws. */
export function withinTime<Result>(limit: number, work: () => Result): Result | null {
  const made: { result: Result | null } = { result: null }
  const context = createContext({
    work: () => {
      made.result = work()
    },
  })
  try {
    CALL.runInContext(context, { timeout: limit })
    return made.result
  } catch (error) {
    // It is an error of the other context, so of another class than errors here.
    const code: unknown = typeof error === 'object' && error !== null ? Reflect.get(error, 'code') : null
    if (code === 'ERR_SCRIPT_EXECUTION_TIMEOUT') return null
    throw error
  }
}
