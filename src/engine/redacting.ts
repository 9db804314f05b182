// An engine whose words are cleaned of secrets before anybody sees them: logs, outputs of checks, and its own faults.

import { EngineFault, type Engine, type ProbeResult } from '../apply/engine.ts'

/** Signs of an output that are shown: its end says most. Cut after it is cleaned, so that no half of a secret is left. */
const SHOWN = 4096

function lastOf(text: string): string {
  if (text.length <= SHOWN) return text
  const [exit] = /^(?:exit \d+|no result within [\d.]+ s): /.exec(text) ?? ['']
  return `${exit}…${text.slice(-SHOWN)}`
}

export function redactingEngine(engine: Engine, clean: (text: string) => string): Engine {
  const cleaned = (result: ProbeResult): ProbeResult => ({ ...result, output: lastOf(clean(result.output)) })
  async function guarded<T>(work: Promise<T>): Promise<T> {
    try {
      return await work
    } catch (error) {
      if (!(error instanceof EngineFault) || clean(error.message) === error.message) throw error
      // The cause holds the words that were cleaned.
      throw new EngineFault(error.kind, clean(error.message), clean(error.remedy))
    }
  }
  return {
    ...engine,
    create: (...args) => guarded(engine.create(...args)),
    putFiles: (...args) => guarded(engine.putFiles(...args)),
    start: (...args) => guarded(engine.start(...args)),
    recreate: (...args) => guarded(engine.recreate(...args)),
    exec: async (...args) => cleaned(await guarded(engine.exec(...args))),
    probe: async (...args) => cleaned(await guarded(engine.probe(...args))),
    async *logs(...args) {
      for await (const line of engine.logs(...args)) yield { ...line, text: clean(line.text) }
    },
  }
}
