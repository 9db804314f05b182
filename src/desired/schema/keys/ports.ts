// `ports` and `expose`, short and long forms, ranges expanded (Compose Specification, services.ports).

import * as z from 'zod'
import { containsSymbol } from '../../symbolic.ts'
import type { PublishedPort } from '../../spec.ts'
import { isAddress, ip, withoutBrackets } from '../addresses.ts'
import { portRange } from '../numbers.ts'
import { type Mistake, report, scalar, symbolAs, taken } from '../scalar.ts'
import { refused, served } from '../service-key.ts'
import { mapping } from '../shapes.ts'
import { cut } from '../show.ts'
import { boolean, choice, text } from '../texts.ts'
import { expose } from './expose.ts'
import { MOST_PORTS } from './port-count.ts'

/** A port as one line of the file asks for it; its mode is null where the line leaves it to the deployment. */
export interface WishedPort extends Omit<PublishedPort, 'mode'> {
  mode: PublishedPort['mode'] | null
  /** Index of its line in `ports`. */
  line: number
}

const PROTOCOLS = ['tcp', 'udp', 'sctp'] as const

interface PortLine {
  target: string
  published: string
  protocol: PublishedPort['protocol']
  host_ip?: string
  mode: PublishedPort['mode'] | null
  http?: true
  proxy_protocol?: true
}

/** `[[IP:][HOST]:]CONTAINER[/PROTOCOL]`; the parts are split from the right, because an IPv6 address has colons too. */
const short = scalar<PortLine>({
  types: ['string', 'number'],
  expected: 'a port, as [[IP:]HOST:]CONTAINER[/PROTOCOL]',
  example: '"8080:80" or 127.0.0.1:8080:80/tcp',
  json: { type: ['string', 'integer'], pattern: '^[^ ]+$' },
  readsSymbols: true,
  read: (value) => {
    const slash = String(value).lastIndexOf('/')
    const protocol = slash < 0 ? 'tcp' : String(value).slice(slash + 1)
    const parts = (slash < 0 ? String(value) : String(value).slice(0, slash)).split(':')
    const target = parts.pop() ?? ''
    const published = parts.pop() ?? ''
    const host = withoutBrackets(parts.join(':'))
    const known = PROTOCOLS.find((one) => one === protocol.toLowerCase())
    if (known === undefined && !containsSymbol(protocol)) {
      return {
        mistake: `expected the protocol tcp, udp or sctp, found "${cut(protocol)}"`,
        remedy: `write ${target}/tcp`,
      }
    }
    if (host !== '' && !isAddress(host)) {
      return {
        mistake: `expected an IP address before the ports, found "${cut(host)}"`,
        remedy: 'write for example 127.0.0.1:8080:80, or [::1]:8080:80',
      }
    }
    const line: PortLine = { target, published, protocol: known ?? symbolAs(protocol), mode: null }
    return { value: host === '' ? line : { ...line, host_ip: host } }
  },
})

const rangeText = (lowest: 0 | 1) =>
  scalar<string>({
    types: ['string', 'number'],
    expected: 'a port or a range of ports',
    example: '8080 or 8000-8010',
    json: { type: ['string', 'integer'], pattern: '^[0-9]+(-[0-9]+)?$' },
    read: (value) => {
      const range = portRange(String(value), lowest)
      return 'value' in range ? { value: String(value) } : range
    },
  })

const long = mapping({
  target: rangeText(1).meta({ description: 'Port inside the container' }),
  published: rangeText(0).optional().meta({ description: 'Port on the host; the engine chooses where it is left out' }),
  host_ip: ip().optional().meta({ description: 'Address of the host to listen on' }),
  protocol: choice(PROTOCOLS).optional(),
  mode: choice(['host', 'ingress'])
    .optional()
    .meta({ description: 'Who publishes it: the engine, or the ingress of the deployment where it has one' }),
  http: boolean().optional().meta({ description: 'true: the ingress speaks HTTP here, instead of passing bytes on' }),
  proxy_protocol: boolean()
    .optional()
    .meta({ description: "true: the ingress tells the client's address by the PROXY protocol, version 2" }),
  name: text().optional().meta({ description: 'For people only' }),
  app_protocol: text().optional().meta({ description: 'For people only; http: true makes the ingress speak HTTP' }),
}).transform((port): PortLine => {
  const line: PortLine = {
    target: port.target,
    published: port.published ?? '',
    protocol: port.protocol ?? 'tcp',
    mode: port.mode ?? null,
    // `false` says what absence says, and has its digest.
    ...(port.http === undefined || port.http === false ? {} : { http: port.http }),
    ...(port.proxy_protocol === undefined || port.proxy_protocol === false
      ? {}
      : { proxy_protocol: port.proxy_protocol }),
  }
  return port.host_ip === undefined ? line : { ...line, host_ip: port.host_ip }
})

type SinglePort = Omit<WishedPort, 'line'>

/** One line of `ports`, as the single ports that it means. */
const portLine = z.union([short, long]).transform((line, context) => taken(context, expand(line)) ?? [])

const ports = z.array(portLine).transform((lines, context): WishedPort[] => {
  const all: WishedPort[] = []
  for (const [index, single] of lines.entries()) {
    if (all.length + single.length > MOST_PORTS) {
      report(
        context,
        { mistake: `more than ${MOST_PORTS} ports`, remedy: 'publish fewer, or use network_mode: host' },
        [index],
      )
      break
    }
    all.push(...single.map((port) => ({ ...port, line: index })))
  }
  reportRepeated(context, all)
  return all.sort(comparePorts)
})

function expand(line: PortLine): { value: SinglePort[] } | Mistake {
  const target = portRange(line.target, 1)
  if (!('value' in target)) return target
  const published = line.published === '' ? { value: { first: 0, last: 0 } } : portRange(line.published, 0)
  if (!('value' in published)) return published
  const { first, last } = target.value
  const symbolic = typeof first === 'string' || typeof published.value.first === 'string'
  const length = symbolic ? 1 : last - first + 1
  if (!symbolic && line.published !== '' && published.value.last - published.value.first + 1 !== length) {
    return {
      mistake: `the ports ${line.published} on the host and ${line.target} in the container differ in number`,
      remedy: 'write ranges of equal length, for example 8000-8010:9000-9010',
    }
  }
  const { http, proxy_protocol: proxy, host_ip: address } = line
  const rest = {
    ...(address === undefined ? {} : { host_ip: address }),
    ...(http === undefined ? {} : { http }),
    ...(proxy === undefined ? {} : { proxy_protocol: proxy }),
  }
  return {
    value: Array.from({ length }, (_, step) => ({
      target: symbolic ? first : first + step,
      published: symbolic || line.published === '' ? published.value.first : published.value.first + step,
      protocol: line.protocol,
      ...rest,
      mode: line.mode,
    })),
  }
}

function reportRepeated(context: z.core.$RefinementCtx, all: readonly WishedPort[]): void {
  const seen = new Set<string>()
  for (const port of all) {
    const host = port.published === 0 ? `any for ${port.target}` : String(port.published)
    const key = `${port.host_ip ?? ''} ${host}/${port.protocol}`
    if (seen.has(key)) {
      const what = port.published === 0 ? `the port ${port.target}` : `the host's port ${port.published}`
      report(context, { mistake: `${what}/${port.protocol} is published twice`, remedy: 'leave one of the two out' }, [
        port.line,
      ])
    }
    seen.add(key)
  }
}

/** By target, protocol, published port and address; symbols after numbers. */
export function comparePorts(a: Omit<PublishedPort, 'mode'>, b: Omit<PublishedPort, 'mode'>): number {
  return (
    compareValues(a.target, b.target) ||
    compareValues(a.protocol, b.protocol) ||
    compareValues(a.published, b.published) ||
    compareValues(a.host_ip ?? '', b.host_ip ?? '')
  )
}

function compareValues(a: string | number, b: string | number): number {
  if (typeof a !== typeof b) return typeof a === 'number' ? -1 : 1
  return a < b ? -1 : a > b ? 1 : 0
}

export const portKeys = {
  ports: served(
    'Ports published on the host',
    ports,
    ['8080:80', '127.0.0.1:5353:53/udp'],
    [{ target: 80, published: '8080', mode: 'host' }],
  ),
  expose: served('Ports that the container listens on, not published', expose, ['8080', '53/udp']),
  links: refused('leave it out: containers on a common network reach each other by their names'),
  external_links: refused('leave it out: join both containers to a network that deployment.yaml declares'),
}
