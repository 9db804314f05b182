// The names and places that belong to a deployment's ingress, and the ports that go through it. Pure.

import type { PublishedPort, Spec } from './spec.ts'

/** Its leaf, directly in the root. */
export const INGRESS_LEAF = 'ingress'
/** The volume in which one ingress container hands its listening sockets to the next; no other leaf may mount it. */
export const INGRESS_VOLUME = 'ingress-sockets'
/** Where that volume is mounted. */
export const INGRESS_SOCKETS = '/run/graft-ingress'
/** HAProxy's own socket in it. */
export const INGRESS_SOCKET = `${INGRESS_SOCKETS}/haproxy.sock`
/** The configuration, in the container. */
export const INGRESS_CONFIG = '/graft-ingress/haproxy.cfg'
/**
 * Low ports, and workers under another user than the master, which could not tell them to end without KILL: the old ones
 * would go on serving the old configuration after each reload.
 */
export const INGRESS_CAPABILITIES: readonly string[] = ['KILL', 'NET_BIND_SERVICE', 'SETGID', 'SETUID']

/** The ports of a leaf that the ingress carries, in the order of `spec.ports`. */
export function ingressPortsOf(spec: Pick<Spec, 'ports'>): PublishedPort[] {
  return spec.ports.filter(({ mode }) => mode === 'ingress')
}
