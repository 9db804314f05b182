// Pulls an image through the engine: credentials, progress, and an end to it when nothing comes any more.

import { EngineFault } from '../apply/engine.ts'
import type { PullOptions } from '../apply/engine.ts'
import type { ImageFacts } from '../plan/observed.ts'
import type { EngineConnection } from './connect.ts'
import { engineWords, statusOf, toEngineFault } from './faults.ts'
import { findImage } from './images.ts'
import { jsonLines } from './json-lines.ts'
import { pullFault } from './pull-faults.ts'
import { pullProgressMeter, type PullLine } from './pull-progress.ts'
import { parseReference } from '../desired/image-reference.ts'
import { withoutSecrets, type RegistryCredentials } from './registry-credentials.ts'

/** A pull that says nothing for this long (milliseconds) is given up: the registry hangs. */
const IDLE_LIMIT = 120_000

export interface PullSettings {
  /** What Docker knows for a registry's host and port. */
  readonly credentials: (registry: string) => Promise<RegistryCredentials | null>
  /** Milliseconds; two minutes where it is left out. */
  readonly idleLimit?: number
}

/**
 * Pulls and resolves to the image's facts (Engine API 1.41, ImageCreate). Throws an EngineFault of kind `registry`,
 * `disk` or `unreachable`, or the signal's reason when it is aborted, which ends the engine's work as well.
 */
export async function pullImage(
  connection: EngineConnection,
  reference: string,
  options: PullOptions,
  settings: PullSettings,
): Promise<ImageFacts> {
  options.signal?.throwIfAborted()
  const parsed = parseReference(reference)
  if (parsed === null) {
    const remedy = 'Write it as REGISTRY/PATH:TAG, in small letters.'
    throw new EngineFault('registry', `${reference} is not the name of an image`, remedy)
  }
  const credentials = await settings.credentials(parsed.registry)
  const fault = (words: string) => pullFault(reference, withoutSecrets(words, credentials), credentials)
  const idle = idleTimer(settings.idleLimit ?? IDLE_LIMIT)
  const signal = options.signal === undefined ? idle.signal : AbortSignal.any([options.signal, idle.signal])
  try {
    const stream = await connection.docker.createImage(credentials?.auth, {
      fromImage: `${parsed.registry}/${parsed.repository}`,
      tag: parsed.digest ?? parsed.tag ?? 'latest',
      ...(options.platform === undefined ? {} : { platform: options.platform }),
      abortSignal: signal,
    })
    const words = await follow(stream, idle.reset, options.onProgress)
    if (words !== null) throw fault(words)
  } catch (error) {
    if (options.signal?.aborted === true) throw options.signal.reason
    if (idle.signal.aborted) throw idleFault(reference, parsed.registry, settings.idleLimit ?? IDLE_LIMIT)
    if (statusOf(error) !== null) throw fault(engineWords(error))
    throw toEngineFault(error, connection.url, `pull ${reference}`)
  } finally {
    idle.stop()
  }
  const image = await findImage(connection, reference)
  if (image === null) throw fault('the pull ended without an image')
  return image
}

/** Reads the stream to its end; resolves to the words of its error, or null where there was none. */
async function follow(
  stream: NodeJS.ReadableStream,
  onLine: () => void,
  onProgress: PullOptions['onProgress'],
): Promise<string | null> {
  const meter = pullProgressMeter()
  let words: string | null = null
  for await (const value of jsonLines(stream)) {
    onLine()
    // A pull's lines have this shape (Engine API 1.41, ImageCreate); every part of it is checked for where it is used.
    const line = (typeof value === 'object' && value !== null ? value : {}) as PullLine
    const error = line.errorDetail?.message ?? line.error
    if (typeof error === 'string') words = error
    const progress = meter(line)
    if (progress !== null) onProgress?.(progress)
  }
  return words
}

function idleTimer(limit: number): { signal: AbortSignal; reset: () => void; stop: () => void } {
  const controller = new AbortController()
  const timer = setTimeout(() => controller.abort(), limit)
  return { signal: controller.signal, reset: () => timer.refresh(), stop: () => clearTimeout(timer) }
}

function idleFault(reference: string, registry: string, limit: number): EngineFault {
  return new EngineFault(
    'registry',
    `${registry} sent nothing of ${reference} for ${limit / 1000} s`,
    'Check the network between the engine and the registry; graft tries again by itself.',
  )
}
