// Whether the host's policy lets a leaf have what it asks for, and how much one commit may remove. Pure.

import { UNSEEN } from './host-paths.ts'
import type { HostPlaces } from './host-paths.ts'
import { leafPath } from './leaf-path.ts'
import { grantText, missingPrivileges, warningsOf } from './policy-grants.ts'
import { brokenRules } from './policy-rules.ts'
import type { Policy } from './policy.ts'
import type { Problem } from './problem.ts'
import type { Leaf, Tree } from './tree.ts'

/**
 * Null where all is granted and every rule is kept. `allowPrivileged`: the person granted everything for this run; rules
 * hold all the same. The problem holds this leaf. It names what is missing and each rule with its place, and its remedy
 * says what to write where: in the leaf, or in the policy file where the host's owner wants it so.
 */
export function judgePolicy(
  leaf: Leaf,
  tree: Tree,
  policy: Policy,
  allowPrivileged: boolean,
  places: HostPlaces = UNSEEN,
): Problem | null {
  const missing = allowPrivileged ? [] : missingPrivileges(leaf, tree, policy, places)
  const broken = brokenRules(leaf, tree, policy)
  if (missing.length === 0 && broken.length === 0) return null
  const messages: string[] = []
  const remedies: string[] = []
  if (missing.length > 0) {
    const names = missing.map((privilege) => privilege.text).join(', ')
    const it = missing.length === 1 ? 'it' : 'them'
    messages.push(
      [
        `${leaf.name} asks for ${names}, and this host's policy does not grant ${it}`,
        ...warningsOf(missing, places),
      ].join('; '),
    )
  }
  for (const { rule, place, faults } of broken) {
    messages.push(`${leaf.name} is refused by ${rule}: ${faults.map(({ says }) => says).join(', ')}`)
    const right = [...new Set(faults.map((one) => one.right))].join('; ')
    remedies.push(
      `${right}; or, if this host is to allow it, add ${leafPath(leaf)} under \`except:\` of that rule${place === null ? '' : ` (${place})`}`,
    )
  }
  if (missing.length > 0) {
    const file = policy.source?.file ?? "policy.yaml in graft's state folder, or --policy"
    remedies.push(
      `if this host is to allow it, add under \`grants:\` of its policy file (${file}): - ${grantText(leaf, missing, tree, places)}`,
    )
  }
  return {
    file: leaf.file,
    line: null,
    column: null,
    text: null,
    message: messages.join('; '),
    remedy: remedies.join('; and '),
    leaf: leaf.name,
    severity: 'held',
  }
}

/**
 * The most leaves that one plan may remove without confirmation, `managed` being how many there are on the host now.
 * Where the host's policy says nothing: a quarter of them, but at least 3. The repository may only lower it.
 */
export function removalLimit(policy: Policy, tree: Pick<Tree, 'removal_limit'>, managed: number): number {
  const host = policy.removal_limit
  const own =
    host === undefined
      ? Math.max(3, Math.floor(managed / 4))
      : typeof host === 'number'
        ? host
        : Math.floor((managed * Number.parseInt(host, 10)) / 100)
  return tree.removal_limit === null ? own : Math.min(own, tree.removal_limit)
}
