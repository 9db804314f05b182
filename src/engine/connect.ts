// The connection to one engine: a dockerode client that speaks a version of the API both sides know, and what the
// engine says of itself.

import { readFile } from 'node:fs/promises'
import { Agent, type AgentOptions } from 'node:http'
import { Agent as TlsAgent } from 'node:https'
import { hostname } from 'node:os'
import { join } from 'node:path'
import { inspect } from 'node:util'

import Docker from 'dockerode'

import { EngineFault } from '../apply/engine.ts'
import { compareVersions } from '../plan/api-needs.ts'
import type { EngineFacts } from '../plan/observed.ts'
import { callEngine, PATIENCE } from './call.ts'
import type { EngineAddress } from './engine-address.ts'
import { ObserveMemory } from './observe-memory.ts'
import { sshAgent } from './ssh-agent.ts'

export interface EngineConnection {
  readonly docker: Docker
  /** What the person would type to reach it. */
  readonly url: string
  /** Milliseconds it may say nothing before it counts as away. */
  readonly patience: number
  readonly facts: EngineFacts
  readonly defaults: EngineDefaults
  /** What earlier looks found, kept while events say that it still holds. */
  readonly memory: ObserveMemory
  /** Closes idle connections. */
  close(): void
}

/** What the engine fills in where a container does not say, and what its kernel lacks. */
export interface EngineDefaults {
  readonly hostname: string
  readonly cgroup: 'host' | 'private'
  readonly runtime: string
  /** Keys of a spec that this host's kernel cannot do; the engine drops them with a warning. */
  readonly missingLimits: readonly (
    | 'mem_limit'
    | 'memswap_limit'
    | 'mem_reservation'
    | 'cpus'
    | 'cpu_shares'
    | 'cpuset'
    | 'pids_limit'
    | 'oom_kill_disable'
  )[]
}

/** The Engine API versions graft knows. Debian 12's Docker 20.10 has 1.41, Docker 28.5 has 1.51. */
export const OLDEST_API = '1.41'
export const NEWEST_API = '1.51'

interface VersionAnswer {
  Version?: string
  ApiVersion?: string
  MinAPIVersion?: string
  Os?: string
  Arch?: string
  Components?: { Name?: string; Version?: string }[]
}

interface InfoAnswer {
  ID?: string
  Name?: string
  OperatingSystem?: string
  SecurityOptions?: string[] | null
  CgroupVersion?: string
  DefaultRuntime?: string
  MemoryLimit?: boolean
  SwapLimit?: boolean
  CpuCfsQuota?: boolean
  CPUShares?: boolean
  CPUSet?: boolean
  PidsLimit?: boolean
  OomKillDisable?: boolean
}

/**
 * Connects and asks the engine for its version and facts. Rejects with an EngineFault `unreachable` whose message is
 * one sentence for a person: no socket, no permission, refused, too old. `patience` is in milliseconds.
 */
export async function connectEngine(
  where: string | EngineAddress,
  patience: number = PATIENCE,
): Promise<EngineConnection> {
  const address = typeof where === 'string' ? { url: where, certificates: null, verify: true } : where
  const { url } = address
  const { options, agent } = await clientOptions(address)
  const first = client(options, url)
  const version = await callEngine<VersionAnswer>({ docker: first, url }, 'ask for its version', {
    path: '/version',
    timeout: Math.min(patience, 20_000),
  })
  const apiVersion = negotiate(url, version)
  const docker = client({ ...options, version: `v${apiVersion}` }, url)
  const info = await callEngine<InfoAnswer>({ docker, url }, 'ask for its facts', {
    path: '/info',
    timeout: Math.min(patience, 30_000),
  })
  const product = version.Components?.some((part) => /podman/i.test(part.Name ?? '')) ? 'podman' : 'docker'
  return {
    docker,
    url,
    patience,
    facts: {
      url,
      id: info.ID || info.Name || url,
      version: version.Version ?? '',
      apiVersion,
      os: version.Os ?? '',
      architecture: version.Arch ?? '',
      product,
      addressesReachable: addressesReachable(url, info),
    },
    defaults: {
      hostname: info.Name ?? '',
      cgroup: info.CgroupVersion === '2' ? 'private' : 'host',
      runtime: info.DefaultRuntime ?? 'runc',
      missingLimits: missingLimits(info),
    },
    memory: new ObserveMemory(),
    close: () => agent?.destroy(),
  }
}

/** Whether the connection's API is at least this version. */
export function speaks(connection: { readonly facts: EngineFacts }, version: string): boolean {
  return compareVersions(connection.facts.apiVersion, version) >= 0
}

/**
 * docker-modem describes every request for its debug log, whether anybody reads that or not, with the agent and all its
 * sockets: 30 ms a call where the agent does not say what it is in one word.
 */
function opaque<A extends Agent>(agent: A): A {
  return Object.assign(agent, { [inspect.custom]: () => 'Agent' })
}

type ClientOptions = Docker.DockerOptions & { agent?: Agent | undefined }

function client(options: ClientOptions, url: string): Docker {
  try {
    return new Docker(options)
  } catch (error) {
    throw badAddress(url, error instanceof Error ? error.message : String(error))
  }
}

async function clientOptions(address: EngineAddress): Promise<{ options: ClientOptions; agent: Agent | null }> {
  const { url } = address
  // docker-modem fills what is absent from DOCKER_HOST, which may name another engine: nothing is left absent.
  const nothing: ClientOptions = {
    socketPath: undefined,
    host: undefined,
    port: undefined,
    ca: undefined,
    cert: undefined,
    key: undefined,
    timeout: undefined,
    protocol: 'http',
  }
  const keep: AgentOptions = { keepAlive: true, maxFreeSockets: 16 }
  if (url.startsWith('unix://')) {
    const socketPath = url.slice('unix://'.length)
    if (!socketPath.startsWith('/')) throw badAddress(url, 'the path of the socket is not absolute')
    const agent = opaque(new Agent(keep))
    return { options: { ...nothing, socketPath, agent }, agent }
  }
  const parsed = URL.canParse(url) ? new URL(url) : null
  if (parsed === null || parsed.hostname === '') throw badAddress(url, 'it is no address')
  switch (parsed.protocol) {
    case 'ssh:': {
      const agent = opaque(sshAgent(parsed))
      return { options: { ...nothing, host: 'docker', port: 80, agent }, agent }
    }
    case 'tcp:':
    case 'http:':
    case 'https:': {
      const secured = parsed.protocol === 'https:' || (parsed.protocol === 'tcp:' && address.certificates !== null)
      const host = parsed.hostname
      if (!secured) {
        const agent = opaque(new Agent(keep))
        return { options: { ...nothing, host, port: parsed.port || 2375, agent }, agent }
      }
      const certificates = address.certificates === null ? {} : await readCertificates(address.certificates, url)
      const agent = opaque(new TlsAgent({ ...keep, ...certificates, rejectUnauthorized: address.verify }))
      return {
        options: { ...nothing, ...certificates, host, port: parsed.port || 2376, protocol: 'https', agent },
        agent,
      }
    }
    default:
      throw badAddress(url, `${parsed.protocol}// is not served`)
  }
}

async function readCertificates(folder: string, url: string): Promise<{ ca: Buffer; cert: Buffer; key: Buffer }> {
  try {
    const [ca, cert, key] = await Promise.all(
      ['ca.pem', 'cert.pem', 'key.pem'].map((name) => readFile(join(folder, name))),
    )
    if (ca && cert && key) return { ca, cert, key }
  } catch (error) {
    throw new EngineFault(
      'unreachable',
      `the certificates for the engine at ${url} cannot be read: ${error instanceof Error ? error.message : String(error)}`,
      'Put ca.pem, cert.pem and key.pem into the folder that DOCKER_CERT_PATH names',
      { cause: error },
    )
  }
  throw badAddress(url, 'its certificates cannot be read')
}

function badAddress(url: string, why: string): EngineFault {
  return new EngineFault(
    'unreachable',
    `${url} does not name an engine: ${why}`,
    'Write unix:///var/run/docker.sock, tcp://HOST:PORT, https://HOST:PORT or ssh://USER@HOST',
  )
}

/** The newest version both know (Engine API, Version and `MinAPIVersion`). */
function negotiate(url: string, version: VersionAnswer): string {
  const newest = version.ApiVersion
  if (newest === undefined) throw badAddress(url, 'what answers there is not a Docker Engine')
  if (compareVersions(newest, OLDEST_API) < 0) {
    throw new EngineFault(
      'unreachable',
      `the engine at ${url} is too old: its API is ${newest}, graft needs ${OLDEST_API}`,
      'Use Docker 20.10 or newer',
    )
  }
  const oldest = version.MinAPIVersion ?? OLDEST_API
  if (compareVersions(oldest, NEWEST_API) > 0) {
    throw new EngineFault(
      'unreachable',
      `the engine at ${url} is too new: its oldest API is ${oldest}, graft knows up to ${NEWEST_API}`,
      'Update graft',
    )
  }
  return compareVersions(newest, NEWEST_API) < 0 ? newest : NEWEST_API
}

/** Only where the engine's bridges are this host's: a local socket, and the engine has this host's own name. */
function addressesReachable(url: string, info: InfoAnswer): boolean {
  return (
    url.startsWith('unix://') &&
    process.platform === 'linux' &&
    info.OperatingSystem !== 'Docker Desktop' &&
    !(info.SecurityOptions ?? []).some((option) => option.startsWith('name=rootless')) &&
    info.Name === hostname()
  )
}

function missingLimits(info: InfoAnswer): EngineDefaults['missingLimits'] {
  const missing: EngineDefaults['missingLimits'][number][] = []
  if (info.MemoryLimit === false) missing.push('mem_limit', 'mem_reservation')
  if (info.MemoryLimit === false || info.SwapLimit === false) missing.push('memswap_limit')
  if (info.CpuCfsQuota === false) missing.push('cpus')
  if (info.CPUShares === false) missing.push('cpu_shares')
  if (info.CPUSet === false) missing.push('cpuset')
  if (info.PidsLimit === false) missing.push('pids_limit')
  if (info.OomKillDisable === false) missing.push('oom_kill_disable')
  return missing
}
