// The engine that a demo runs on: the person's own where it can start everything, else one that the demo brings up.

import { connectEngine, type EngineConnection } from '../engine/connect.ts'
import { resolveEngineUrl } from '../engine/engine-address.ts'
import { EngineFault } from '../apply/engine.ts'
import { Mistake } from '../cli/mistakes.ts'
import type { DemoPlace } from './demo-place.ts'
import { explainNoEngine } from './engine-address.ts'
import { tryOut } from './engine-trial.ts'
import { bringUpEngine, type HostEngine } from './host-engine.ts'

export interface DemoEngine {
  readonly connection: EngineConnection
  /** The engine that the demo brought up; null for the person's. */
  readonly own: HostEngine | null
  /** Folders that containers of the example make on the engine's host and that were not there before. */
  readonly missingFolders: readonly string[]
  /** How many files a container may have open there at most. */
  readonly openFiles: number
}

export interface EngineSearch {
  readonly place: DemoPlace
  readonly env: Readonly<Record<string, string | undefined>>
  /** What the person named with --engine. */
  readonly asked: string | undefined
  readonly say: (text: string) => void
}

/** Throws Mistake with what to do, GroundFault, or EngineFault for an engine that was named and does not answer. */
export async function openDemoEngine(search: EngineSearch): Promise<DemoEngine> {
  const { asked, env, say } = search
  const named = asked !== undefined || (env['DOCKER_HOST'] ?? '') !== ''
  const found = await connectTo(search, named)
  if (found === null) return bringUp(search)
  const { trouble, missingFolders, openFiles } = await tryOut(found.docker)
  if (trouble === null) return { connection: found, own: null, missingFolders, openFiles }
  found.close()
  const version = `the Docker Engine ${found.facts.version} at ${found.url}`
  const cannot = `${version} cannot start a privileged container on the host's namespaces, as the example has them: ${trouble}`
  if (named || (await explainNoEngine(env)).length > 0)
    throw new Mistake(
      cannot,
      'let the demo bring up an engine of its own (as root on Debian or Ubuntu, without --engine and DOCKER_HOST), or name another one',
    )
  say(`${cannot}; so the demo brings up one of its own`)
  return bringUp(search)
}

async function connectTo({ asked, env }: EngineSearch, named: boolean): Promise<EngineConnection | null> {
  try {
    return await connectEngine(await resolveEngineUrl(env, asked))
  } catch (error) {
    if (!(error instanceof EngineFault) || named) throw error
    const [first, ...rest] = await explainNoEngine(env)
    if (first === undefined) return null
    throw new Mistake(first, rest.join('\n    '))
  }
}

async function bringUp({ place, say }: EngineSearch): Promise<DemoEngine> {
  const own = await bringUpEngine({ suite: 'trixie', folder: place.engine, onProgress: say })
  const connection = await connectEngine(own.url)
  return { connection, own, ...(await tryOut(connection.docker)) }
}
