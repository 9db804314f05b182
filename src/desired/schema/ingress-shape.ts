// The key `ingress` of deployment.yaml: what an author says of the load balancer. Durations and sizes are Compose's.

import type { IngressTimeouts } from '../tree.ts'
import { graftKeys } from './keys/graft.ts'
import { identityKeys } from './keys/identity.ts'
import { lifecycleKeys } from './keys/lifecycle.ts'
import { resourceKeys } from './keys/resources.ts'
import { integer, PORT_BOUNDS } from './numbers.ts'
import { duration } from './quantities.ts'
import { mapping } from './shapes.ts'
import { boolean } from './texts.ts'

/** What of it is about carrying connections; the rest becomes a leaf. */
export interface IngressParts {
  checkPort: number
  ipv6: boolean
  timeouts: IngressTimeouts
}

/** Milliseconds. A silent TCP connection is kept as long as most pools keep theirs; dead peers are found by keep-alive. */
const TIMEOUTS: IngressTimeouts = { connect: 5000, tcp: 24 * 3_600_000, http: 600_000, keep_alive: 60_000 }
const CHECK_PORT = 1936

const BY_GRAFT = 'leave it out: graft sets it for the ingress'
const FIXED_KEYS = [
  'command',
  'entrypoint',
  'user',
  'network_mode',
  'networks',
  'volumes',
  'files',
  'healthcheck',
  'restart',
  'init',
  'cap_add',
  'cap_drop',
  'privileged',
  'stop_signal',
  'kind',
] as const

const advice: Readonly<Record<string, string>> = {
  ...Object.fromEntries(FIXED_KEYS.map((key) => [key, BY_GRAFT])),
  ports: 'write ports in the leaves: those with mode: ingress are what it carries',
  stop_grace_period: 'write drain: that is how long open connections may go on',
  depends_on: 'leave it out: it serves each leaf as soon as that is live',
  name: 'leave it out: it is named ingress',
}

const updateAdvice: Readonly<Record<string, string>> = {
  order: 'leave it out: a new ingress takes over the open ports of the one before it',
  drain: 'write drain beside update: that is how long open connections may go on',
  settle: 'leave it out: the ingress has a check',
  measure: 'write it in the leaves whose ports it carries',
}

const limit = (description: string) => duration(1).optional().meta({ description })

const timeout = mapping({
  connect: limit('To reach a container; 5s'),
  tcp: limit('Silence on an open TCP connection; 24h'),
  http: limit('Between two parts of a request or of an answer; 10m'),
  keep_alive: limit("An HTTP client's open connection without a request; 60s"),
})

export const ingressKey = mapping(
  {
    image: identityKeys.image.schema,
    generation: graftKeys.generation.schema,
    image_policy: graftKeys.image_policy.schema.optional(),
    check_port: integer(PORT_BOUNDS)
      .optional()
      .meta({ description: 'Port on loopback where each ingress container tells what it serves; 1936' }),
    ipv6: boolean()
      .optional()
      .meta({ description: 'Whether ports without host_ip are open on IPv6 too; true where it is left out' }),
    timeout: timeout.optional().meta({ description: 'When a connection is given up' }),
    drain: duration(0)
      .optional()
      .meta({ description: 'How long open connections may go on when the ingress itself is replaced; 10s' }),
    mem_limit: resourceKeys.mem_limit.schema.optional(),
    cpus: resourceKeys.cpus.schema.optional(),
    logging: lifecycleKeys.logging.schema.optional(),
    labels: identityKeys.labels.schema.optional(),
    environment: identityKeys.environment.schema.optional(),
    pull_policy: lifecycleKeys.pull_policy.schema.optional(),
    update: mapping(
      {
        deadline: duration(1).optional().meta({ description: 'A new ingress must pass its gate in this time; 2m' }),
      },
      updateAdvice,
    ).optional(),
  },
  advice,
  'does not belong here',
).transform(({ check_port, ipv6, timeout: said = {} }): IngressParts => ({
  checkPort: check_port ?? CHECK_PORT,
  ipv6: ipv6 ?? true,
  timeouts: {
    connect: said.connect ?? TIMEOUTS.connect,
    tcp: said.tcp ?? TIMEOUTS.tcp,
    http: said.http ?? TIMEOUTS.http,
    keep_alive: said.keep_alive ?? TIMEOUTS.keep_alive,
  },
}))
