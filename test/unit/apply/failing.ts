// An engine of which one call fails.

import { EngineFault, type Engine } from '../../../src/apply/engine.ts'

/** The engine with one call, the n-th of its name, that fails; `takesEffect`: only its answer is lost. */
export function failing(engine: Engine, call: string, takesEffect: boolean, nth = 1): Engine {
  let seen = 0
  return new Proxy(engine, {
    get(target, key, receiver) {
      const value: unknown = Reflect.get(target, key, receiver)
      if (key !== call || typeof value !== 'function') return value
      return async (...args: unknown[]) => {
        const fails = ++seen === nth
        if (!fails || takesEffect) {
          const result: unknown = await Reflect.apply(value, target, args)
          if (!fails) return result
        }
        throw new EngineFault('engine', `${call} failed`, 'It is tried again')
      }
    },
  })
}
