// What of a leaf the host's rules forbid, whatever is granted. Pure.

import { notSurelyNonRoot } from './container-user.ts'
import { fault } from './fault.ts'
import type { Fault } from './fault.ts'
import { matchesGlob } from './glob.ts'
import { hostNamespaces } from './host-namespaces.ts'
import { digestFaults, imageFaults } from './image-rule.ts'
import { isAmong } from './leaf-path.ts'
import { standardFaults } from './pod-standards.ts'
import { capabilityName } from './policy-grants.ts'
import type { Policy, Rule } from './policy.ts'
import { portFaults } from './port-rule.ts'
import { cut } from './schema/show.ts'
import { MOST_SHARING, sharesProcesses } from './shared-processes.ts'
import type { Bytes, Spec } from './spec.ts'
import type { Leaf, Tree } from './tree.ts'

export interface BrokenRule {
  /** `the rule at /var/lib/graft/policy.yaml:7`, with its reason where it has one. */
  readonly rule: string
  /** Of the policy file; null where it is not known. */
  readonly place: string | null
  readonly faults: readonly Fault[]
}

/** Each rule that the leaf does not keep to, in the order of the file. */
export function brokenRules(leaf: Leaf, tree: Tree, policy: Policy): readonly BrokenRule[] {
  return (policy.rules ?? []).flatMap((rule, index): BrokenRule[] => {
    if (!isAmong(leaf, rule.paths) || isAmong(leaf, rule.except ?? [])) return []
    const faults = faultsOf(leaf, tree, rule)
    if (faults.length === 0) return []
    const line = policy.source?.ruleLines[index] ?? null
    const place =
      policy.source === undefined ? null : [policy.source.file, line].filter((part) => part !== null).join(':')
    const because = rule.because === undefined ? '' : ` (${rule.because.trim()})`
    return [{ rule: `rule ${index + 1}${place === null ? '' : ` at ${place}`}${because}`, place, faults }]
  })
}

function faultsOf(leaf: Leaf, tree: Tree, rule: Rule): Fault[] {
  const { spec } = leaf
  const { preset } = rule
  const preSet =
    preset === undefined
      ? []
      : standardFaults(leaf, tree, { preset, ...(rule.ports && { ports: rule.ports }) }).map(({ row, says, right }) =>
          fault(`${says} (${preset}, ${row})`, right),
        )
  return [
    ...preSet,
    ...(rule.images === undefined ? [] : imageFaults(spec.image, rule.images)),
    ...(rule.digest === undefined ? [] : digestFaults(spec.image)),
    ...(rule.ports === undefined ? [] : ownPorts(leaf, tree, rule.ports, preset !== undefined)),
    ...limit('mem_limit', spec.mem_limit, rule.mem_limit, sizeText),
    ...(rule.mem_limit === undefined || spec.memswap_limit !== -1
      ? []
      : [fault('memswap_limit: -1 is swap without a limit', 'leave it out, or write a size')]),
    ...limit('cpus', spec.cpus, rule.cpus, String),
    ...limit('pids_limit', spec.pids_limit === -1 ? undefined : spec.pids_limit, rule.pids_limit, String),
    ...(rule.host_secrets === undefined ? [] : hostSecrets(leaf, tree, rule.host_secrets)),
    ...(rule.user === undefined ? [] : notSurelyNonRoot(spec)),
    ...(rule.cap_add === undefined ? [] : addedCapabilities(spec, rule.cap_add)),
    ...(rule.cap_drop === undefined ? [] : keptCapabilities(spec, rule.cap_drop, rule.cap_add ?? [])),
    ...(rule.read_only === undefined || spec.read_only
      ? []
      : [fault('its own file system is writable', 'write read_only: true, and tmpfs or a volume where it writes')]),
    ...(rule.no_new_privileges === undefined || spec.security_opt.includes('no-new-privileges=true')
      ? []
      : [fault('it may gain privileges', 'write security_opt: [no-new-privileges:true]')]),
  ]
}

/** A leaf on the host's network opens what it likes. A preset has looked at the engine's own ports already. */
function ownPorts(leaf: Leaf, tree: Tree, allowed: NonNullable<Rule['ports']>, lookedAt: boolean): Fault[] {
  const ports = leaf.spec.ports.filter(({ mode }) => !lookedAt || mode !== 'host')
  const found = portFaults(ports, allowed)
  const onHost = hostNamespaces(leaf, tree).some(({ text }) => text.startsWith('network:'))
  if (lookedAt || !onHost) return found
  return [fault("it is on the host's network, where it may open any port", 'publish ports instead'), ...found]
}

/** Its own, and those that it sees of others. */
function hostSecrets(leaf: Leaf, tree: Tree, allowed: readonly string[]): Fault[] {
  const sharing = sharesProcesses(leaf, tree)
  const contents = [leaf, ...(sharing.length > MOST_SHARING ? [] : sharing)].flatMap(({ spec: { secrets } }) => [
    ...Object.values(secrets?.files ?? {}).map(({ content }) => content),
    ...Object.values(secrets?.environment ?? {}),
  ])
  const names = contents.flatMap((content) => (content.startsWith('host:') ? [content.slice('host:'.length)] : []))
  const right = allowed.length === 0 ? 'leave it out' : `take one of ${allowed.join(', ')}`
  return [...new Set(names)]
    .filter((name) => !allowed.some((pattern) => matchesGlob(pattern, name)))
    .map((name) => fault(`the host's secret ${cut(name)}`, right))
}

function limit(
  key: 'mem_limit' | 'cpus' | 'pids_limit',
  found: number | undefined,
  rule: 'required' | { most: number } | undefined,
  text: (value: number) => string,
): Fault[] {
  if (rule === undefined) return []
  const right = rule === 'required' ? `write ${key}` : `write ${key}: ${text(rule.most)} or less`
  if (found === undefined) return [fault(`it has no ${key}`, right)]
  return rule === 'required' || found <= rule.most ? [] : [fault(`${key}: ${text(found)}`, right)]
}

function sizeText(size: Bytes): string {
  const units = ['', 'k', 'm', 'g', 't'] as const
  let at = 0
  let rest = size
  while (rest >= 1024 && rest % 1024 === 0 && at < units.length - 1) {
    rest /= 1024
    at++
  }
  return `${rest}${units[at]}`
}

function addedCapabilities(spec: Spec, allowed: readonly string[]): Fault[] {
  const names = new Set(allowed.map(capabilityName))
  if (names.has('ALL')) return []
  const right = names.size === 0 ? 'leave it out' : `add none but ${[...names].join(', ')}`
  const added = spec.cap_add.filter((name) => !names.has(name)).map((name) => fault(`cap_add: ${name}`, right))
  return spec.privileged ? [fault('privileged has every capability', 'leave it out'), ...added] : added
}

/** What is dropped and added again is kept; `allowed`: what a rule for `cap_add` says may come back. */
function keptCapabilities(spec: Spec, dropped: readonly string[], allowed: readonly string[]): Fault[] {
  if (spec.privileged) return [fault('privileged has every capability', 'leave it out')]
  const names = dropped.map(capabilityName)
  const free = new Set(allowed.map(capabilityName))
  const back = spec.cap_add.filter((name) => (names.includes('ALL') || names.includes(name)) && !free.has(name))
  const again = back.map((name) => fault(`cap_add: ${name} takes back what is to be dropped`, 'leave it out'))
  const kept = spec.cap_drop.includes('ALL') ? [] : names.filter((name) => !spec.cap_drop.includes(name))
  return kept.length === 0
    ? again
    : [
        ...again,
        fault(
          `it keeps ${kept.includes('ALL') ? 'capabilities' : kept.join(', ')}`,
          `write cap_drop: [${kept.join(', ')}]`,
        ),
      ]
}
