// The run digest: what a container's label says about the spec it was made from, host values and secrets included.

import { createHmac } from 'node:crypto'

import { canonicalJson } from '../desired/ledger-digest.ts'
import type { Leaf } from '../desired/tree.ts'
import { resolvedSecrets } from './secret-digests.ts'

export type RunDigest = (leaf: Leaf) => string

/**
 * Digests with a host-local key, so that a label never lets anyone guess a value that only the host knows. Hex, 64
 * characters. A leaf that is the same object gives its digest without being read again.
 */
export function createRunDigest(hostKey: Uint8Array): RunDigest {
  const remembered = new WeakMap<Leaf, string>()
  return (leaf) => {
    let digest = remembered.get(leaf)
    if (digest === undefined) {
      digest = createHmac('sha256', hostKey)
        .update(canonicalJson(resolved(leaf)))
        .digest('hex')
      remembered.set(leaf, digest)
    }
    return digest
  }
}

/** The values of secrets by their own keyed digests: the same values give the same digest, wherever they lie. */
function resolved(leaf: Leaf): unknown {
  const { spec, secrets } = leaf
  return spec.secrets === undefined || secrets === undefined
    ? spec
    : { ...spec, secrets: resolvedSecrets(spec.secrets, secrets) }
}
