// An image's inspection in graft's words. The engine's shapes go no further than this room.

import type Dockerode from 'dockerode'
import type { ImageFacts } from '../plan/observed.ts'
import { authoredLabels, LABEL_PREFIX } from './labels.ts'

const NANOSECONDS_A_MILLISECOND = 1e6

/** Engine API 1.41, ImageInspect. Absent values become empty ones; durations become milliseconds. */
export function imageFacts(info: Dockerode.ImageInspectInfo): ImageFacts {
  const config: Partial<Dockerode.ImageInspectInfo['Config']> | null = info.Config
  return {
    id: info.Id,
    digests: (info.RepoDigests ?? []).toSorted(),
    environment: readEnvironment(config?.Env ?? []),
    command: list(config?.Cmd),
    entrypoint: list(config?.Entrypoint),
    user: config?.User ?? '',
    working_dir: config?.WorkingDir ?? '',
    labels: authoredLabels(config?.Labels),
    ...graftLabels(Object.keys(config?.Labels ?? {})),
    expose: Object.keys(config?.ExposedPorts ?? {}).toSorted(),
    volumes: Object.keys(config?.Volumes ?? {}).toSorted(),
    // Docker's inspection of an image carries it, its published types do not.
    stop_signal: stopSignal(config),
    healthcheck: healthcheck(config?.Healthcheck),
  }
}

/** At most a few: an image may have thousands. */
function graftLabels(keys: readonly string[]): Pick<ImageFacts, 'graftLabels'> {
  const found = keys.filter((key) => key.startsWith(LABEL_PREFIX)).toSorted()
  return found.length === 0 ? {} : { graftLabels: found.slice(0, 5).map((key) => key.slice(0, 80)) }
}

function readEnvironment(entries: readonly string[]): Record<string, string> {
  const environment: Record<string, string> = {}
  for (const entry of entries) {
    const equals = entry.indexOf('=')
    environment[equals < 0 ? entry : entry.slice(0, equals)] = equals < 0 ? '' : entry.slice(equals + 1)
  }
  return environment
}

function list(value: string | readonly string[] | null | undefined): string[] {
  if (value === null || value === undefined) return []
  return typeof value === 'string' ? [value] : [...value]
}

function stopSignal(config: object | null | undefined): string {
  const value: unknown = config === null || config === undefined ? '' : Reflect.get(config, 'StopSignal')
  return typeof value === 'string' ? value : ''
}

function healthcheck(check: Dockerode.HealthConfig | undefined): ImageFacts['healthcheck'] {
  const test = check?.Test ?? []
  if (check === undefined || test.length === 0 || test[0] === 'NONE') return null
  return {
    test,
    ...duration('interval', check.Interval),
    ...duration('timeout', check.Timeout),
    ...duration('start_period', check.StartPeriod),
    ...duration('start_interval', startInterval(check)),
    ...(check.Retries === undefined || check.Retries === 0 ? {} : { retries: check.Retries }),
  }
}

function startInterval(check: object): number | undefined {
  const value: unknown = Reflect.get(check, 'StartInterval')
  return typeof value === 'number' ? value : undefined
}

/** 0 means that the image leaves it to the engine. */
function duration<Name extends string>(name: Name, nanoseconds: number | undefined): { [key in Name]?: number } {
  if (nanoseconds === undefined || nanoseconds === 0) return {}
  const milliseconds: { [key in Name]?: number } = {}
  milliseconds[name] = nanoseconds / NANOSECONDS_A_MILLISECOND
  return milliseconds
}
