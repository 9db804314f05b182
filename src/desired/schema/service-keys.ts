// The one table of a leaf's keys: every service key of the Compose Specification, served or refused, and graft's own.

import { graftKeys } from './keys/graft.ts'
import { identityKeys } from './keys/identity.ts'
import { lifecycleKeys } from './keys/lifecycle.ts'
import { mountKeys } from './keys/mounts.ts'
import { networkKeys } from './keys/network.ts'
import { portKeys } from './keys/ports.ts'
import { resourceKeys } from './keys/resources.ts'
import { secretKeys } from './keys/secrets.ts'
import { securityKeys } from './keys/security.ts'
import type { ServiceKey, Values } from './service-key.ts'

/** Keys of Compose's services. */
export const composeKeys = {
  ...identityKeys,
  ...networkKeys,
  ...portKeys,
  ...mountKeys,
  ...secretKeys,
  ...lifecycleKeys,
  ...securityKeys,
  ...resourceKeys,
}

const allKeys = { ...graftKeys, ...composeKeys }

/** What a leaf says, in canonical form; a key that it leaves out is absent. */
export type LeafValues = Values<typeof allKeys>

/** Every key, served or refused, in the order in which editors list them. */
export const leafKeys: ReadonlyMap<string, ServiceKey> = new Map<string, ServiceKey>(Object.entries(allKeys))

/** Names of the served keys. */
export const servedNames: readonly string[] = [...leafKeys].filter(([, key]) => key.served).map(([key]) => key)

/** Keys that no set may give to all leaves below it, with the reason as advice. */
export const leafOnlyKeys: Readonly<Record<string, string>> = {
  kind: 'write it in each leaf, because a leaf says itself what it is',
  generation: 'write it in each leaf, because it counts the specs of one leaf',
  renamed_from: 'write it in the leaf that was renamed',
}
