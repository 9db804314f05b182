// Turns whatever a call to an engine ends with into an `EngineFault` that says what follows from it.

import { EngineFault } from '../apply/engine.ts'

/** The HTTP status an engine answered with; null where no answer came. */
export function statusOf(error: unknown): number | null {
  const status = property(error, 'statusCode')
  return typeof status === 'number' ? status : null
}

/** The engine's own words, without dockerode's frame around them. */
export function engineWords(error: unknown): string {
  const json = property(error, 'json')
  const message = property(json, 'message') ?? property(json, 'cause')
  if (typeof message === 'string' && message !== '') return message.trim()
  const text = error instanceof Error ? error.message : String(error)
  return text.replace(/^\(HTTP code \d+\) [^-]* - /, '').trim()
}

/**
 * The fault for an error of a call. `what` says what was tried (`start container web`); `url` names the engine.
 * An EngineFault passes as it is.
 */
export function toEngineFault(error: unknown, url: string, what: string): EngineFault {
  if (error instanceof EngineFault) return error
  const status = statusOf(error)
  if (status === null) return unreachable(error, url, what)
  const words = engineWords(error)
  const message = `cannot ${what}: ${words}`
  const cause = { cause: error }
  if (/no space left on device|disk quota exceeded/i.test(words)) {
    return new EngineFault('disk', message, 'Free some space on the disk of the engine', cause)
  }
  if (status === 409 && /name .*(already )?in use/i.test(words)) return nameTaken(message, cause)
  // Podman says 500 where Docker says 409.
  if (status === 500 && /name .* is (already )?in use/i.test(words)) return nameTaken(message, cause)
  if (status === 404) {
    return new EngineFault('not-found', message, 'Nothing has to be done, the next turn looks again', cause)
  }
  if ((status === 401 || status === 403) && !OWN_REFUSALS.test(words)) {
    return new EngineFault(
      'engine',
      message,
      'Allow graft to use this engine: something before it denies the call',
      cause,
    )
  }
  return new EngineFault('engine', message, remedyFor(words), cause)
}

/** The fault for a container whose own command could not be run; the exit code is 126 or 127. */
export function startFailed(error: unknown, what: string): EngineFault {
  return new EngineFault(
    'start-failed',
    `cannot ${what}: ${engineWords(error)}`,
    'Correct the command, entry point, user or working directory of the leaf',
    { cause: error },
  )
}

/** Whether the engine's words say that the container's own command could not be run: the spec is to blame. */
export function blamesCommand(words: string): boolean {
  return (
    /exec: .*(executable file not found|no such file or directory|permission denied|is a directory|exec format error)/i.test(
      words,
    ) ||
    /(executable file not found in \$PATH|exec format error|unable to find user|unable to find group|no matching entries in passwd file)/i.test(
      words,
    ) ||
    /(chdir to cwd|mkdir .* working directory|cannot find user|crun: executable file)/i.test(words)
  )
}

function nameTaken(message: string, cause: { cause: unknown }): EngineFault {
  return new EngineFault(
    'name-taken',
    message,
    'Nothing has to be done where the name is free again at the next look',
    cause,
  )
}

/** What the engine itself answers with 403: networks that overlap, that are in use, and its own. */
const OWN_REFUSALS = /overlaps with other|active endpoints|pre-?defined/i

function remedyFor(words: string): string {
  if (/overlaps with other/i.test(words)) {
    return 'Give the network another subnet in deployment.yaml: one on this host has these addresses'
  }
  if (/port is already allocated|address already in use|failed to bind/i.test(words)) {
    return 'Stop what holds this port on the host, or publish another one'
  }
  if (/network .*not found|could not find network/i.test(words)) return 'The network is made at the next turn'
  if (/bind source path does not exist/i.test(words))
    return 'Make this folder on the host, or let create_host_path do it'
  if (/platform/i.test(words)) return 'Ask for an image that exists for the platform of this engine'
  if (/invalid mount config|invalid volume|mount/i.test(words)) return 'Correct the mounts of the leaf'
  return 'It is tried again; the log of the engine may say more'
}

function unreachable(error: unknown, url: string, what: string): EngineFault {
  const code = property(error, 'code')
  const cause = { cause: error }
  const fault = (message: string, remedy: string) => new EngineFault('unreachable', message, remedy, cause)
  switch (code) {
    case 'ENOENT':
      if (url.startsWith('ssh:'))
        return fault(`no way to ${url}: there is no program ssh here`, 'Install an SSH client')
      return fault(
        `no engine at ${url}: there is no such socket`,
        'Start Docker, or name its address with --engine or DOCKER_HOST',
      )
    case 'EACCES':
    case 'EPERM':
      return fault(
        `no permission for the socket of the engine at ${url}`,
        'Run graft as root, or add its user to the group docker',
      )
    case 'ECONNREFUSED':
      return fault(`the engine at ${url} refuses connections`, 'Start Docker: nothing listens there')
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
      return fault(`the name in ${url} is not known`, 'Correct the address of the engine, or the resolver of this host')
    case 'ETIMEDOUT':
    case 'EHOSTUNREACH':
    case 'ENETUNREACH':
      return fault(
        `the engine at ${url} cannot be reached over the network`,
        'Check the address, the network and the firewall',
      )
    case 'ERR_ANSWER':
      return fault(
        `the engine at ${url} answers nonsense (${what}): ${engineWords(error)}`,
        'See what stands between graft and the engine',
      )
    case 'ABORT_ERR':
      return fault(`the engine at ${url} does not answer (${what})`, 'Look at the log of the engine: it may hang')
  }
  const words = engineWords(error)
  if (typeof code === 'string' && /CERT|SIGNATURE|SSL|TLS/.test(code)) {
    return fault(`the engine at ${url} fails the TLS check: ${words}`, 'Correct the certificates in DOCKER_CERT_PATH')
  }
  return fault(`the connection to the engine at ${url} broke (${what}): ${words}`, 'See whether the engine runs')
}

function property(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null && name in value
    ? (value as Record<string, unknown>)[name]
    : undefined
}
