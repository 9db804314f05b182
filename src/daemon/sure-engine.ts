// An engine that changes nothing unless the deployment is still ours: each call that does something makes sure first.

import type { Engine } from '../apply/engine.ts'

/** Reading goes on whatever becomes of the lock. `sure` throws EngineFault where it is not ours. */
export function sureEngine(engine: Engine, sure: () => Promise<void>): Engine {
  const first =
    <Args extends unknown[], Result>(act: (...args: Args) => Promise<Result>) =>
    async (...args: Args): Promise<Result> => {
      await sure()
      return act(...args)
    }
  return {
    ...engine,
    tagImage: first(engine.tagImage),
    removeTag: first(engine.removeTag),
    create: first(engine.create),
    putFiles: first(engine.putFiles),
    start: first(engine.start),
    stop: first(engine.stop),
    unpause: first(engine.unpause),
    setRestartPolicy: first(engine.setRestartPolicy),
    updateLimits: first(engine.updateLimits),
    rename: first(engine.rename),
    recreate: first(engine.recreate),
    remove: first(engine.remove),
    connect: first(engine.connect),
    disconnect: first(engine.disconnect),
    createNetwork: first(engine.createNetwork),
    removeNetwork: first(engine.removeNetwork),
    createVolume: first(engine.createVolume),
    removeVolume: first(engine.removeVolume),
    adopt: first(engine.adopt),
    createMark: first(engine.createMark),
    putIngressConfig: first(engine.putIngressConfig),
    loadIngressConfig: first(engine.loadIngressConfig),
  }
}
