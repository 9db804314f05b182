// One leaf `net/agent` as a reader makes it, for tests of what hosts allow.

import { parsePolicy } from '../../../src/desired/policy.ts'
import type { Policy } from '../../../src/desired/policy.ts'
import { createReader } from '../../../src/desired/read.ts'
import type { Leaf, Tree } from '../../../src/desired/tree.ts'
import { snapshotOf } from './snapshot-of.ts'

/** `keys`: lines of the leaf besides its generation; `image: x` where they name none. `root`: lines of deployment.yaml. */
export function oneLeaf(keys: string, root = ''): { tree: Tree; leaf: Leaf } {
  const { tree, problems } = readOne(keys, root)
  const leaf = tree?.leaves.get('agent')
  if (tree === null || leaf === undefined) throw new Error(JSON.stringify(problems))
  return { tree, leaf }
}

export function readOne(keys: string, root = '') {
  const image = /^image:/m.test(keys) ? '' : 'image: x\n'
  const files = {
    'deployment.yaml': `name: shop\nformat: 1\n${root}\n`,
    'net/set.yaml': '{}',
    'net/agent.yaml': `generation: 1\n${image}${keys}\n`,
  }
  return createReader().read(snapshotOf(files), { host: null })
}

/** `body`: what follows `format: 1`. Throws where it does not read. */
export function policyFile(body: string): Policy {
  const { policy, problems } = parsePolicy(`format: 1\n${body}\n`, '/etc/graft/policy.yaml')
  if (policy === null) throw new Error(JSON.stringify(problems))
  return policy
}
