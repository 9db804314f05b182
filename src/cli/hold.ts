// The hold on a deployment that a command takes before it changes anything, and the engine that only acts under it.

import { holdDeployment, type Hold } from '../daemon/hold-deployment.ts'
import { hostName } from '../daemon/notes-settings.ts'
import { sureEngine } from '../daemon/sure-engine.ts'
import type { Deployment } from '../daemon/open-deployment.ts'
import type { OpenedEngine } from './open-engine.ts'

export type Held = Extract<Hold, { held: true }>

interface Holding {
  /** The deployment's name. */
  readonly name: string
  /** What the person typed: `graft apply`. */
  readonly command: string
  /** Told in a sentence why it takes a while. */
  readonly tell: (words: string) => void
  readonly signal?: AbortSignal
}

/** The hold and, where it is held, the engine that makes sure of it before each change. */
export async function takeHold(
  { settings, state }: Pick<Deployment, 'settings' | 'state'>,
  opened: OpenedEngine,
  { name, command, tell, signal }: Holding,
): Promise<{ readonly hold: Hold; readonly engine: OpenedEngine }> {
  const hold = await holdDeployment(state, opened.connection, name, {
    command,
    host: hostName(settings),
    staleAfter: settings.takeover_after * 1000,
    tell,
    ...(signal === undefined ? {} : { signal }),
  })
  if (!hold.held) return { hold, engine: opened }
  return { hold, engine: { ...opened, engine: sureEngine(opened.engine, () => hold.sure()) } }
}
