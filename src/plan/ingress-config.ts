// The configuration of the ingress, whole, from what is live. Pure; the same containers give the same bytes (HAProxy
// Configuration Manual 2.6: bind, server, retry-on, idle-close-on-response).

import { createHash } from 'node:crypto'

import type { PublishedPort } from '../desired/spec.ts'
import type { Ingress, Tree } from '../desired/tree.ts'
import { checkAddress } from './ingress-address.ts'
import { ingressServices, type IngressService } from './ingress-services.ts'
import type { Observed } from './observed.ts'

export interface RenderedIngress {
  readonly config: {
    readonly text: string
    /** SHA-256 (hex) over what it does, the same for every container it is rendered for. */
    readonly digest: string
    readonly checkPort: number
  }
  /** The leaf that a line of the text (1-based) belongs to; null for what belongs to none. */
  readonly ownerOf: (line: number) => string | null
}

/** Folder of the stats socket, shared by the ingress containers of a deployment. */
export const SOCKET_FOLDER = '/run/graft-ingress'
/** In the container. */
export const CONFIG_PATH = '/graft-ingress/haproxy.cfg'
export const SOCKET_PATH = `${SOCKET_FOLDER}/haproxy.sock`

/** `containerId`: the ingress container it is for. `leftOut`: leaves whose ports are not served. */
export function renderIngress(
  tree: Tree,
  observed: Observed,
  containerId: string,
  leftOut: ReadonlySet<string>,
): RenderedIngress {
  const { ingress } = tree
  if (ingress === null) throw new Error('the deployment has no ingress')
  const services = ingressServices(tree, observed).filter(({ leaf }) => !leftOut.has(leaf))
  const blocks: { leaf: string | null; lines: readonly string[] }[] = [
    { leaf: null, lines: head(ingress) },
    ...services.map((service) => ({ leaf: service.leaf, lines: linesOf(service, ingress) })),
  ]
  const digest = createHash('sha256')
    .update(blocks.flatMap(({ lines }) => lines).join('\n'))
    .digest('hex')
  blocks.push({ leaf: null, lines: check(containerId, ingress.checkPort, digest) })
  const owners = blocks.flatMap(({ leaf, lines }) => lines.map(() => leaf))
  const text = `${blocks.flatMap(({ lines }) => lines).join('\n')}\n`
  return {
    config: { text, digest, checkPort: ingress.checkPort },
    ownerOf: (line) => owners[line - 1] ?? null,
  }
}

function head({ timeouts }: Ingress): string[] {
  return [
    '# Made by graft from what is live; changes by hand are overwritten.',
    'global',
    // Hands the listening sockets to the next process, so that no port is ever closed.
    `  stats socket ${SOCKET_PATH} mode 600 level admin expose-fd listeners`,
    // Who wants a port that is taken is told so, instead of sharing it in silence.
    '  noreuseport',
    // As many connections as the limit of open files allows, and no more memory than these need where there is none.
    '  fd-hard-limit 50000',
    '  uid 99',
    '  gid 99',
    // A worker that still carries an old connection is not cut off because others were swapped meanwhile.
    '  mworker-max-reloads 100000',
    'defaults',
    `  timeout connect ${timeouts.connect}`,
    `  timeout client ${timeouts.tcp}`,
    `  timeout server ${timeouts.tcp}`,
    `  timeout tunnel ${timeouts.tcp}`,
    '  retries 3',
    '  option redispatch 1',
  ]
}

function linesOf(service: IngressService, ingress: Ingress): string[] {
  return service.port.http === true ? httpLines(service, ingress) : tcpLines(service, ingress)
}

function tcpLines(service: IngressService, ingress: Ingress): string[] {
  const { name, ports } = service
  return [
    `frontend ${name}`,
    '  mode tcp',
    ...ports.flatMap((each) => bind(each, ingress)),
    '  option clitcpka',
    `  default_backend ${name}`,
    `backend ${name}`,
    '  mode tcp',
    '  option srvtcpka',
    ...servers(service),
  ]
}

/**
 * In two steps: what keeps a client's connection hands each request on, by a socket that every reload passes on, to
 * what knows the servers. So a connection that was kept open and idle over a switch, or over a restart, does not lead to
 * a container that is gone, although the worker that keeps it is of before.
 */
function httpLines(service: IngressService, ingress: Ingress): string[] {
  const { name, ports, retired } = service
  const { timeouts } = ingress
  const socket = `unix@${SOCKET_FOLDER}/${name}.sock`
  return [
    `frontend ${name}`,
    '  mode http',
    ...ports.flatMap((each) => bind(each, ingress)),
    // A client with an idle connection is told at its next answer, not in the middle of its next request.
    '  option idle-close-on-response',
    ...httpTimeouts(timeouts),
    `  default_backend ${name}`,
    `backend ${name}`,
    '  mode http',
    '  option http-server-close',
    '  http-reuse never',
    `  timeout server ${timeouts.http}`,
    `  server current ${socket} send-proxy-v2`,
    `frontend ${name}.current`,
    '  mode http',
    `  bind ${socket} mode 666 accept-proxy`,
    '  option forwardfor',
    ...httpTimeouts(timeouts),
    `  default_backend ${name}.current`,
    `backend ${name}.current`,
    '  mode http',
    `  timeout server ${timeouts.http}`,
    // A connection that was never made may be tried again by anything; a request that was sent, only where that is safe.
    '  retry-on conn-failure empty-response',
    '  http-request disable-l7-retry unless { method GET HEAD OPTIONS }',
    // A pooled connection to a container that has just died would use up the tries before it counts as dead.
    ...(retired === null ? [] : ['  http-reuse never']),
    ...servers(service),
  ]
}

function httpTimeouts({ http, keep_alive }: Ingress['timeouts']): string[] {
  return [
    `  timeout client ${http}`,
    `  timeout http-request ${Math.min(http, SLOW_REQUEST)}`,
    `  timeout http-keep-alive ${keep_alive}`,
  ]
}

function servers({ leaf, port, live, retired }: IngressService): string[] {
  return [
    ...(live === null ? [] : [`  server ${leaf} ${server(live, port)}${retired === null ? '' : CHECKED}`]),
    ...(retired === null ? [] : [`  server ${leaf}.prev ${server(retired, port)} backup`]),
  ]
}

/**
 * While the old container is still there: at the first connection that fails, and at the first check that does, the new
 * one is passed over. Checks would tell nothing where there is no other server.
 */
const CHECKED =
  ' check inter 1s fastinter 100ms downinter 100ms fall 1 rise 1 observe layer4 error-limit 1 on-error mark-down'

function bind({ host_ip, published }: PublishedPort, { ipv6 }: Ingress): string[] {
  if (host_ip !== undefined) return [`  bind ${withPort(host_ip, published)}${host_ip.includes(':') ? ' v6only' : ''}`]
  return [`  bind 0.0.0.0:${published}`, ...(ipv6 ? [`  bind [::]:${published} v6only`] : [])]
}

/** Milliseconds for a client to send the head of a request. */
const SLOW_REQUEST = 60_000

function server({ address, target }: { address: string; target: number }, port: PublishedPort): string {
  return `${withPort(address, target)}${port.proxy_protocol === true ? ' send-proxy-v2' : ''}`
}

function withPort(address: string, port: number): string {
  return address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`
}

/** Which configuration is served, asked of the container itself: nobody has to remember it. */
function check(containerId: string, port: number, digest: string): string[] {
  return [
    'frontend graft.check',
    '  mode http',
    `  bind ${checkAddress(containerId)}:${port}`,
    `  http-request return status 200 content-type text/plain string ${digest}`,
  ]
}
