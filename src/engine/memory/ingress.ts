// The ingress in memory: it serves the configuration it was given, and leads to the servers that are named in it.

import { EngineFault, IngressRejection, type IngressConfig, type ProbeResult } from '../../apply/engine.ts'
import type { PublishedPort } from '../../desired/spec.ts'
import type { HttpProbe } from '../../desired/tree.ts'
import { behaviourOf, isWell } from './behaviour.ts'
import { get } from './containers.ts'
import type { MemoryContainer, World } from './world.ts'

export function putIngressConfig(world: World, id: string, text: string): void {
  const container = get(world, id)
  container.ingress = { file: text, served: container.ingress?.served ?? null }
}

/** Rejections: lines that the image's script does not take, and ports that somebody else holds. */
export function loadIngressConfig(world: World, id: string, { text }: IngressConfig): void {
  const container = get(world, id)
  if (container.state !== 'running') {
    throw new EngineFault('engine', `the ingress ${container.name} does not answer`, 'It is tried again')
  }
  const { rejects = [] } = behaviourOf(world.images.get(container.imageId), container.running)
  const words: string[] = []
  const lines: number[] = []
  text.split('\n').forEach((line, index) => {
    const odd = rejects.some((part) => line.includes(part))
    const taken = !odd && portIn(line) !== null && isTaken(world, container, portIn(line) ?? 0)
    if (!odd && !taken) return
    lines.push(index + 1)
    words.push(`[line ${index + 1}] : ${odd ? 'not taken' : 'cannot bind socket (Address already in use)'}`)
  })
  if (lines.length > 0) throw new IngressRejection(words, lines)
  container.ingress = { file: text, served: text }
}

/** What the text itself says that its check answers with; a text without a check is its own digest. */
export function ingressDigest(world: World, id: string): string | null {
  const container = world.containers.get(id)
  const served = container?.state === 'running' ? (container.ingress?.served ?? null) : null
  if (container === undefined || served === null || !answers(world, container)) return null
  return /\bstring ([0-9a-f]{64})\b/.exec(served)?.[1] ?? served
}

export function probeIngress(world: World, id: string): ProbeResult {
  const container = get(world, id)
  if (container.state !== 'running') return { healthy: false, output: 'the container is not running' }
  const digest = ingressDigest(world, container.id)
  return digest === null
    ? { healthy: false, output: 'no answer' }
    : { healthy: true, output: `serves configuration ${digest.slice(0, 12)}` }
}

export function knock(world: World, port: PublishedPort, http: HttpProbe | null): ProbeResult | null {
  if (port.protocol !== 'tcp' || port.published === 0) return null
  const running = [...world.containers.values()].filter(({ state }) => state === 'running')
  const healthy =
    port.mode === 'host'
      ? running.some((each) => holdsPort(each, port.published) && answers(world, each))
      : running.some(
          ({ ingress }) => ingress?.served != null && leadsOn(world, running, ingress.served, port.published),
        )
  if (!healthy) return { healthy, output: 'connection refused' }
  return { healthy, output: http === null ? `port ${port.published} is open` : 'HTTP 200' }
}

/** Whether a server behind the port runs and is well. */
function leadsOn(world: World, running: readonly MemoryContainer[], text: string, port: number): boolean {
  let section = ''
  const backends = new Set<string>()
  const addresses = new Set<string>()
  for (const line of text.split('\n')) {
    const [word = '', name = '', address = ''] = line.trim().split(/\s+/)
    if (word === 'frontend' || word === 'backend') section = `${word} ${name}`
    else if (portIn(line) === port || (word === 'bind' && addresses.has(name)))
      backends.add(section.replace(/^frontend/, 'backend'))
    else if (word === 'server' && backends.has(section))
      addresses.add(address.replace(/:\d+$/, '').replace(/[[\]]/g, ''))
  }
  return running.some((container) => {
    const own = [...container.addresses.values()].some(({ ipv4, ipv6 }) => addresses.has(ipv4) || addresses.has(ipv6))
    return own && answers(world, container)
  })
}

function isTaken(world: World, own: MemoryContainer, port: number): boolean {
  return [...world.containers.values()].some((other) => {
    if (other === own || other.state !== 'running') return false
    if (holdsPort(other, port)) return true
    // Two of one deployment hand their ports over.
    if (other.labels?.deployment === own.labels?.deployment) return false
    return other.ingress?.served?.split('\n').some((line) => portIn(line) === port) ?? false
  })
}

function holdsPort({ running }: MemoryContainer, port: number): boolean {
  return running.ports.some(({ mode, published }) => mode === 'host' && published === port)
}

/** The port of a `bind` line, but for the check's, which has an address of its own in 127.0.0.0/8. */
function portIn(line: string): number | null {
  const [, address = '', port] = /^\s*bind (\S+):(\d+)/.exec(line) ?? []
  return port === undefined || /^127\.(?!0\.)/.test(address) ? null : Number(port)
}

function answers(world: World, container: MemoryContainer): boolean {
  const script = behaviourOf(world.images.get(container.imageId), container.running)
  return isWell(script, world.clock.steady() - (container.runsSince ?? 0))
}
