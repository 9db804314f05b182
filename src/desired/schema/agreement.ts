// What the keys of one leaf must agree on: each is right by itself, together they are not.

import type { Issue } from './issue.ts'
import type { WishedPort } from './keys/ports.ts'
import type { LeafContext } from './leaf.ts'
import type { LeafValues } from './service-keys.ts'
import { place } from './show.ts'

type Report = (path: readonly (string | number)[], at: Issue['at'], message: string, remedy: string) => void

/** Every disagreement between keys that were read without a mistake. */
export function disagreements(values: LeafValues, context: LeafContext): Issue[] {
  const issues: Issue[] = []
  const report: Report = (path, at, message, remedy) => {
    const where = place(path)
    issues.push({ path, at, message: `${where}: ${message}`, remedy })
  }
  networkMode(values, report)
  ports(values, context, report)
  names(values, context, report)
  targets(values, report)
  memory(values, report)
  job(values, report)
  return issues
}

/** Keys that the engine refuses beside another container's network (runconfig, validateNetContainerMode). */
const NOT_WITH_JOINED_NETWORK = [
  'hostname',
  'domainname',
  'dns',
  'dns_search',
  'dns_opt',
  'extra_hosts',
  'expose',
] as const

function networkMode(values: LeafValues, report: Report): void {
  const mode = values.network_mode
  if (values.uts === 'host' && values.hostname !== undefined) {
    report(
      ['hostname'],
      'key',
      "a container in the host's UTS namespace has the host's name",
      'leave hostname or uts out',
    )
  }
  if (mode === undefined) return
  if (values.networks !== undefined) {
    report(['networks'], 'key', `networks beside network_mode: ${mode}`, 'leave one of the two out')
  }
  if (values.ports !== undefined && values.ports.length > 0) {
    if (mode === 'host') {
      report(
        ['ports'],
        'key',
        'a host-network container publishes nothing',
        'leave ports out: it listens on the host itself',
      )
    } else if (mode === 'none') {
      report(['ports'], 'key', 'a container without a network publishes nothing', 'leave ports or network_mode out')
    } else if (mode.startsWith('service:')) {
      const other = mode.slice('service:'.length)
      report(['ports'], 'key', `the network is that of ${other}`, `write the ports in the leaf ${other}`)
    }
  }
  const joined = mode.startsWith('service:')
  if ((joined || mode === 'host') && values.mac_address !== undefined) {
    report(['mac_address'], 'key', `mac_address beside network_mode: ${mode}`, 'leave it out')
  }
  for (const key of joined ? NOT_WITH_JOINED_NETWORK : []) {
    if (values[key] !== undefined)
      report([key], 'key', `${key} beside network_mode: ${mode}`, `write it in the leaf ${mode.slice(8)}`)
  }
  for (const sysctl of joined || mode === 'host' ? Object.keys(values.sysctls ?? {}) : []) {
    if (!sysctl.startsWith('net.')) continue
    report(
      ['sysctls', sysctl],
      'key',
      `${sysctl} belongs to a network that is not the container's own`,
      'set it on the host',
    )
  }
}

function ports(values: LeafValues, context: LeafContext, report: Report): void {
  const told = new Set<number>()
  for (const port of values.ports ?? []) {
    if (told.has(port.line)) continue
    const wrong =
      (port.mode === 'ingress' ? ingressMistake(port, context.ingress) : null) ?? carriedMistake(port, context.ingress)
    if (wrong === null) continue
    report(['ports', port.line], 'value', wrong[0], wrong[1])
    told.add(port.line)
  }
}

function ingressMistake(port: WishedPort, ingress: boolean): [message: string, remedy: string] | null {
  if (!ingress) return ['mode: ingress, and the deployment has no ingress', 'write mode: host']
  if (port.protocol === 'udp' || port.protocol === 'sctp')
    return [`the ingress does not carry ${port.protocol}`, 'write mode: host']
  return port.published === 0 ? ['a port of the ingress needs a number of its own', 'write published: PORT'] : null
}

/** What only the ingress can do with a port, asked of one that it does not carry. */
function carriedMistake(port: WishedPort, ingress: boolean): [message: string, remedy: string] | null {
  const key = port.http !== undefined ? 'http' : port.proxy_protocol !== undefined ? 'proxy_protocol' : null
  if (key === null) return null
  if (!ingress) {
    const remedy = `leave ${key} out, or give the deployment an ingress in deployment.yaml`
    return [`${key}: true is for ports of the ingress, and the deployment has no ingress`, remedy]
  }
  if (port.mode === 'host')
    return [
      `${key}: true is for ports of the ingress, and this one is published by the engine`,
      `write mode: ingress, or leave ${key} out`,
    ]
  if (port.protocol === 'udp' || port.protocol === 'sctp')
    return [
      `${key}: true is for ports of the ingress, and the ingress does not carry ${port.protocol}`,
      `leave ${key} out`,
    ]
  return port.published === 0 ? ['a port of the ingress needs a number of its own', 'write published: PORT'] : null
}

function names(values: LeafValues, { leafName }: LeafContext, report: Report): void {
  for (const key of ['network_mode', 'ipc', 'pid'] as const) {
    if (values[key] === `service:${leafName}`) report([key], 'value', 'a leaf cannot join itself', 'name another leaf')
  }
  if (values.depends_on?.has(leafName) === true) {
    report(['depends_on'], 'key', 'a leaf cannot depend on itself', `leave ${leafName} out`)
  }
  if (values.renamed_from === leafName) {
    report(['renamed_from'], 'value', 'this is the name that the leaf has', 'write its former name, or leave it out')
  }
}

function targets(values: LeafValues, report: Report): void {
  const mounted = new Set<string>()
  for (const key of ['volumes', 'tmpfs'] as const) {
    for (const [index, { target }] of (values[key] ?? []).entries()) {
      if (target === '/') report([key, index], 'value', 'nothing can be mounted on /', 'mount it on a folder below')
      if (mounted.has(target)) {
        report([key, index], 'value', `${target} is the target of two mounts`, 'leave one of the two out')
      }
      mounted.add(target)
    }
  }
}

function memory(values: LeafValues, report: Report): void {
  const { mem_limit: limit, mem_reservation: reservation, memswap_limit: swap } = values
  if (typeof swap === 'number' && swap > 0) {
    if (limit === undefined) {
      report(
        ['memswap_limit'],
        'key',
        'memswap_limit counts memory and swap, so it needs mem_limit',
        'write mem_limit too',
      )
    } else if (typeof limit === 'number' && swap < limit) {
      report(
        ['memswap_limit'],
        'value',
        'memswap_limit counts memory and swap, so it cannot be below mem_limit',
        'write at least mem_limit',
      )
    }
  }
  if (typeof limit === 'number' && typeof reservation === 'number' && reservation > limit) {
    report(['mem_reservation'], 'value', 'mem_reservation is above mem_limit', 'write at most mem_limit')
  }
}

function job(values: LeafValues, report: Report): void {
  if (values.kind !== 'job' || values.restart === undefined || values.restart === 'no') return
  report(['restart'], 'value', 'a job runs once per generation and is never restarted', 'leave restart out')
}
