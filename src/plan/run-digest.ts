// The run digest: what a container's label says about the spec it was made from, host values and secrets included.

import { createHmac } from 'node:crypto'

import { canonicalJson } from '../desired/ledger-digest.ts'
import type { Leaf } from '../desired/tree.ts'

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
      digest = createHmac('sha256', hostKey).update(canonicalJson(leaf.spec)).digest('hex')
      remembered.set(leaf, digest)
    }
    return digest
  }
}
