// What the acts of the demo work with: the daemon that follows the repository, what it has said so far, and short
// questions to it, to the engine and to graft's other commands.

import type Docker from 'dockerode'

import type { EngineConnection } from '../engine/connect.ts'
import { askStatus } from '../http/control-client.ts'
import type { Tree } from '../desired/tree.ts'
import type { LeafStatus, SetStatus, Status } from '../report/status.ts'
import { type ApartProcess, graftProgram } from './apart-process.ts'
import { createEventReader, type DaemonEvent } from './daemon-events.ts'
import { DemoFailure } from './demo-failure.ts'
import type { DemoGit } from './demo-git.ts'
import type { DemoNames, DemoPlace } from './demo-place.ts'
import { runCommand } from './run-command.ts'

export interface DemoDeployment {
  readonly place: DemoPlace
  readonly names: DemoNames
  readonly tree: Tree
  readonly git: DemoGit
  readonly connection: EngineConnection
  /** `2025.1` → the stand-in's name on the engine. */
  readonly standIn: (reference: string) => string
  /** All that the daemon said, oldest first. */
  readonly events: readonly DaemonEvent[]
  /** Reads on; throws DemoFailure where the daemon has ended. */
  follow(): Promise<void>
  /** Null while the daemon cannot be asked. */
  status(): Promise<Status | null>
  container(name: string): Promise<Seen | null>
  /** Runs one of graft's commands with the demo's settings; resolves to what it prints. */
  graft(...args: string[]): Promise<string>
}

export interface Seen {
  readonly id: string
  readonly running: boolean
  readonly exitCode: number
  readonly generation: string
  readonly imageId: string
  readonly imageName: string
}

export interface DeploymentParts extends Omit<DemoDeployment, 'events' | 'follow' | 'status' | 'container' | 'graft'> {
  readonly daemon: ApartProcess
  readonly socket: string
  readonly environment: NodeJS.ProcessEnv
}

export function watchDeployment(parts: DeploymentParts): DemoDeployment {
  const { daemon, socket, environment, ...rest } = parts
  const reader = createEventReader()
  const events: DaemonEvent[] = []
  return {
    ...rest,
    events,
    async follow() {
      const alive = await daemon.alive()
      events.push(...reader.take(await daemon.read()))
      if (!alive)
        throw new DemoFailure('the daemon ended', [
          ...reader.foreign,
          ...events.slice(-5).map(({ message }) => message),
        ])
    },
    status: () => askStatus(socket).catch(() => null),
    container: (name) => inspect(parts.connection.docker, `${parts.names.prefix}${name}`),
    async graft(...args) {
      const outcome = await runCommand(process.execPath, [graftProgram, ...args, '--config', parts.place.config], {
        env: environment,
      })
      return outcome.stdout.trimEnd()
    },
  }
}

async function inspect(engine: Docker, name: string): Promise<Seen | null> {
  try {
    const { Id, State, Config, Image } = await engine.getContainer(name).inspect()
    const generation = Config.Labels['dev.graft.generation'] ?? ''
    return {
      id: Id,
      running: State.Running && !State.Paused,
      exitCode: State.ExitCode,
      generation,
      imageId: Image,
      imageName: Config.Image,
    }
  } catch (error) {
    if (typeof error === 'object' && error !== null && 'statusCode' in error && error.statusCode === 404) return null
    throw error
  }
}

export function leavesOf(set: SetStatus): LeafStatus[] {
  return [...set.leaves, ...set.sets.flatMap(leavesOf)]
}

/** All leaves of a status that shows `commit`; null where it shows another one or none yet. */
export function leavesAt(status: Status | null, commit: string): readonly LeafStatus[] | null {
  return status?.tree == null || status.commit?.id !== commit ? null : leavesOf(status.tree)
}

/** As declared, and where it is a container, running. */
export function isUp({ sync, state, health }: LeafStatus): boolean {
  return sync === 'synced' && (state === 'completed' || (state === 'running' && health !== 'unhealthy'))
}
