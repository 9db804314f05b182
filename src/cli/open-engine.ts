// The engine that the settings name, and a reconciler over it.

import { homedir } from 'node:os'
import { join } from 'node:path'

import { systemClock } from '../apply/clock.ts'
import type { Engine } from '../apply/engine.ts'
import type { Report } from '../apply/progress.ts'
import { openLastSwaps } from '../daemon/last-swaps.ts'
import type { Deployment } from '../daemon/open-deployment.ts'
import { redactorOf } from '../daemon/secrets/open-secrets.ts'
import { createReconciler, type Reconciler, type ReconcilerOptions } from '../daemon/reconcile.ts'
import { connectEngine, type EngineConnection } from '../engine/connect.ts'
import { dockerEngine } from '../engine/docker-engine.ts'
import { resolveEngineUrl } from '../engine/engine-address.ts'
import { rewriteReference } from '../engine/mirrors.ts'
import { redactingEngine } from '../engine/redacting.ts'
import { createRunDigest } from '../plan/run-digest.ts'
import type { Settings } from '../daemon/settings.ts'
import type { Surroundings } from './surroundings.ts'

export interface OpenedEngine {
  readonly connection: EngineConnection
  readonly engine: Engine
}

type Environment = Surroundings['env']

/** Throws an EngineFault where it cannot be reached. */
export async function openEngine(settings: Deployment['settings'], env: Environment): Promise<OpenedEngine> {
  const connection = await connectEngine(await resolveEngineUrl(env, settings.engine), settings.engine_timeout * 1000)
  const configFolder = dockerConfigFolder(settings, env)
  const helper = settings.probe_image === undefined ? {} : { helperImage: settings.probe_image }
  const engine = dockerEngine(connection, { configFolder, ...helper })
  return { connection, engine: redactingEngine(engine, redactorOf(settings).clean) }
}

/** Where Docker keeps the logins of registries. */
export function dockerConfigFolder(settings: Pick<Settings, 'docker_config'>, env: Environment): string {
  return settings.docker_config ?? (env['DOCKER_CONFIG'] || join(homedir(), '.docker'))
}

export interface Hooks {
  readonly report: Report
  readonly probed: () => ReadonlyMap<string, boolean>
  readonly onChange: () => void
  readonly onResult?: NonNullable<ReconcilerOptions['onResult']>
}

/** For a command that only looks. */
export const QUIET: Hooks = { report: () => undefined, probed: () => new Map(), onChange: () => undefined }

/** `name`: the deployment's. */
export async function openReconciler(
  { settings, state }: Deployment,
  { engine, connection, name }: OpenedEngine & { readonly name: string },
  hooks: Hooks,
): Promise<Reconciler> {
  const rules = settings.mirrors ?? []
  return createReconciler({
    engine,
    clock: systemClock,
    runDigest: createRunDigest(await state.hostKey()),
    mirror: (reference) => rewriteReference(rules, reference),
    parallel: settings.parallel,
    measure: settings.measure,
    swaps: await openLastSwaps(join(state.deployment(name, connection.facts.id), 'swaps.json')),
    ...hooks,
  })
}
