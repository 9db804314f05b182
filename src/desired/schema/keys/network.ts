// How the container is joined to networks and what it knows of names and addresses.

import * as z from 'zod'
import type { NetworkJoin } from '../../spec.ts'
import { domainName, ip, isAddress, mac, withoutBrackets } from '../addresses.ts'
import { type Mistake, report, scalar } from '../scalar.ts'
import { served } from '../service-key.ts'
import { mapping, pairs, record, sortedRecord, sortedSet, textOrList } from '../shapes.ts'
import { cut } from '../show.ts'
import { isName, text } from '../texts.ts'

const join = mapping(
  {
    aliases: z
      .array(domainName('database'))
      .optional()
      .meta({ description: 'Further names of the container on this network' }),
    ipv4_address: ip(4).optional(),
    ipv6_address: ip(6).optional(),
    link_local_ips: z.array(ip()).optional(),
    mac_address: mac().optional(),
  },
  {
    priority: 'leave it out: networks are connected in the order of their names',
    gw_priority: 'leave it out: the engine chooses the default gateway by the names of the networks',
    interface_name: 'leave it out: the engine names the interfaces',
    driver_opts: 'leave it out, or set driver_opts on the network in deployment.yaml',
  },
).transform((wish): NetworkJoin => {
  const network: NetworkJoin = { aliases: sortedSet(wish.aliases ?? []) }
  if (wish.ipv4_address !== undefined) network.ipv4_address = wish.ipv4_address
  if (wish.ipv6_address !== undefined) network.ipv6_address = wish.ipv6_address
  if (wish.link_local_ips !== undefined) network.link_local_ips = sortedSet(wish.link_local_ips)
  if (wish.mac_address !== undefined) network.mac_address = wish.mac_address
  return network
})

const NETWORK_NAME = {
  expected: 'the name of a network in deployment.yaml',
  example: 'default',
  pattern: '^[a-zA-Z0-9._-]+$',
}

const networks = z.union([
  z
    .array(text(NETWORK_NAME))
    .transform((names) => sortedRecord(names.map((name) => [name, { aliases: [] } as NetworkJoin]))),
  record(z.union([z.null().transform((): NetworkJoin => ({ aliases: [] })), join]), (name) =>
    new RegExp(NETWORK_NAME.pattern).test(name)
      ? null
      : { mistake: `expected ${NETWORK_NAME.expected}, found "${cut(name)}"`, remedy: 'write default' },
  ),
])

/** `host`, `service:LEAF` and the like; `words` are the plain words that are right. */
export function namespace(words: readonly string[], refusals: Readonly<Record<string, string>>) {
  const joins = refusals['service:'] === undefined
  const expected = [...words, ...(joins ? ['service:LEAF'] : [])].join(', ')
  return scalar<string>({
    types: ['string'],
    expected: `one of ${expected}`,
    example: words[0] ?? 'service:LEAF',
    json: joins ? { anyOf: [{ enum: words }, { type: 'string', pattern: '^service:[a-z0-9-]+$' }] } : { enum: words },
    read: (value): { value: string } | Mistake | null => {
      const found = String(value)
      if (words.includes(found)) return { value: found }
      if (joins && found.startsWith('service:')) {
        return isName(found.slice('service:'.length))
          ? { value: found }
          : { mistake: `"${cut(found)}" names no leaf`, remedy: 'write service:LEAF' }
      }
      const refusal = Object.keys(refusals).find(
        (start) => found === start || (start.endsWith(':') && found.startsWith(start)),
      )
      const advice = refusal === undefined ? undefined : refusals[refusal]
      return advice === undefined ? null : { mistake: `"${cut(found)}" is not served`, remedy: advice }
    },
  })
}

const HOST_ADDRESS: Mistake = {
  mistake: 'expected NAME:ADDRESS',
  remedy: 'write for example api:10.0.0.1 or api:host-gateway',
}

function hostLine(name: string, address: string): { value: string } | Mistake {
  const bare = withoutBrackets(address.trim())
  if (bare === '' || !/^[^\s:=#]+$/.test(name)) return HOST_ADDRESS
  return bare === 'host-gateway' || isAddress(bare)
    ? { value: `${name}:${bare}` }
    : {
        mistake: `expected an IP address or host-gateway for ${cut(name)}, found "${cut(bare)}"`,
        remedy: HOST_ADDRESS.remedy,
      }
}

const extraHostText = scalar<string>({
  types: ['string'],
  expected: 'a name and its address, as NAME:ADDRESS',
  example: 'api:10.0.0.1 or api:host-gateway',
  json: { type: 'string', pattern: '^[^:=]+[:=].+$' },
  readsSymbols: true,
  read: (value) => {
    const match = /^([^:=]+)[:=](.+)$/.exec(String(value))
    return match === null ? null : hostLine(match[1] ?? '', match[2] ?? '')
  },
})

const extraHosts = z.union([
  z.array(extraHostText).transform(sortedSet),
  record(z.union([text(), z.array(text())])).transform((hosts, context) => {
    const lines: string[] = []
    for (const [name, addresses] of Object.entries(hosts)) {
      for (const address of typeof addresses === 'string' ? [addresses] : addresses) {
        const line = hostLine(name, address)
        if ('value' in line) lines.push(line.value)
        else report(context, line, [name])
      }
    }
    return sortedSet(lines)
  }),
])

/** The resolver's file separates by white space. */
const ONE_WORD = text({ expected: 'one word', example: 'example.org', pattern: '^[^\\s]+$' })

export const networkKeys = {
  networks: served(
    'The networks to join, by their names in deployment.yaml; `default` where this is left out',
    networks,
    ['default'],
    { default: { aliases: ['database'], ipv4_address: '172.20.0.10' } },
  ),
  network_mode: served(
    "The host's network, none, or another leaf's network, instead of networks",
    namespace(['host', 'none'], {
      bridge: 'leave it out: the leaf joins the network default of the deployment, or those under networks',
      'container:': 'write service:LEAF to share the network of a leaf',
      default: 'leave it out',
    }),
    'host',
    'service:proxy',
  ),
  mac_address: served('A fixed MAC address', mac(), '02:42:ac:11:00:02'),
  extra_hosts: served('Further lines of /etc/hosts', extraHosts, ['api:10.0.0.1'], { gateway: 'host-gateway' }),
  dns: served('DNS servers, in order', textOrList(ip()), ['10.0.0.2', '10.0.0.3']),
  dns_search: served('DNS search domains, in order', textOrList(ONE_WORD), ['example.org']),
  dns_opt: served('Options of the resolver', z.array(ONE_WORD).transform(sortedSet), ['ndots:2']),
  sysctls: served(
    'Kernel parameters of the container',
    pairs({ bare: { mistake: 'has no value', remedy: 'write NAME: value' } }),
    { 'net.ipv4.ip_forward': 1 },
  ),
}
