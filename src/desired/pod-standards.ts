// The Pod Security Standards of Kubernetes, row by row, in terms of Compose's keys: what the presets `baseline` and
// `restricted` forbid (https://kubernetes.io/docs/concepts/security/pod-security-standards/, as of Kubernetes 1.34). Pure.

import { asRoot, notSurelyNonRoot } from './container-user.ts'
import { fault } from './fault.ts'
import type { Fault } from './fault.ts'
import type { Rule } from './policy.ts'
import { portFaults } from './port-rule.ts'
import { privilegesOf, USUAL_CAPABILITIES } from './privileges.ts'
import type { Privilege } from './privileges.ts'
import type { Spec } from './spec.ts'
import type { Leaf, Tree } from './tree.ts'

export type Preset = NonNullable<Rule['preset']>

export interface Standard {
  /** As the page of Kubernetes calls it. */
  readonly row: string
  readonly level: Preset
  /** `ports` of a rule: the known list that Host Ports admits. */
  readonly faults: (leaf: Leaf, tree: Tree, rule: Pick<Rule, 'ports'>) => Fault[]
}

export const STANDARDS: readonly Standard[] = [
  { row: 'Host Namespaces', level: 'baseline', faults: asked('host_namespace') },
  { row: 'Privileged Containers', level: 'baseline', faults: asked('privileged') },
  { row: 'Capabilities', level: 'baseline', faults: ({ spec }) => added(spec, USUAL_CAPABILITIES) },
  { row: 'HostPath Volumes', level: 'baseline', faults: asked('bind', 'device', 'device_cgroup_rule') },
  { row: 'Host Ports', level: 'baseline', faults: hostPorts },
  { row: 'AppArmor', level: 'baseline', faults: options(/^apparmor=(?!unconfined$)./) },
  {
    row: 'SELinux',
    level: 'baseline',
    faults: options(/^label=(?:type:container_(?:t|init_t|kvm_t|engine_t)|level:.*)$/),
  },
  { row: '/proc Mount Type', level: 'baseline', faults: options() },
  { row: 'Seccomp', level: 'baseline', faults: options(/^seccomp=builtin$/) },
  { row: 'Sysctls', level: 'baseline', faults: asked('sysctl') },
  { row: 'Volume Types', level: 'restricted', faults: asked('volume_driver') },
  { row: 'Privilege Escalation', level: 'restricted', faults: ({ spec }) => mayGainPrivileges(spec) },
  { row: 'Running as Non-root', level: 'restricted', faults: ({ spec }) => notSurelyNonRoot(spec) },
  { row: 'Running as Non-root user', level: 'restricted', faults: ({ spec }) => asRoot(spec) },
  { row: 'Seccomp', level: 'restricted', faults: options(/^seccomp=builtin$/) },
  { row: 'Capabilities', level: 'restricted', faults: ({ spec }) => restrictedCapabilities(spec) },
]

/** Rows that nothing in a leaf can ask for, each with the reason. */
export const WITHOUT_MEANING: readonly { readonly row: string; readonly because: string }[] = [
  {
    row: 'HostProcess',
    because: 'it is about Windows; the keys `isolation` and `credential_spec` are refused for every leaf',
  },
  {
    row: 'Host Probes / Lifecycle Hooks',
    because:
      "checks have no key for a host: `http` and `tcp` go to the container's own address, and a leaf has no hooks",
  },
]

/** What of the leaf the level forbids, by row; `restricted` has everything of `baseline`. A fault is told once. */
export function standardFaults(
  leaf: Leaf,
  tree: Tree,
  rule: Pick<Rule, 'ports'> & { readonly preset: Preset },
): readonly (Fault & { readonly row: string })[] {
  const told = new Set<string>()
  return STANDARDS.filter(({ level }) => level === 'baseline' || rule.preset === 'restricted').flatMap(
    ({ row, faults }) =>
      faults(leaf, tree, rule).flatMap((found) => {
        if (told.has(found.says)) return []
        told.add(found.says)
        return [{ ...found, row }]
      }),
  )
}

const LEAVE_OUT = 'leave it out'

function asked(...kinds: readonly Privilege['kind'][]): Standard['faults'] {
  return (leaf, tree) =>
    privilegesOf(leaf, tree)
      .filter(({ kind }) => kinds.includes(kind))
      .map(({ text }) => fault(text, LEAVE_OUT))
}

function added({ cap_add }: Spec, allowed: ReadonlySet<string>): Fault[] {
  return cap_add.filter((name) => !allowed.has(name)).map((name) => fault(`cap_add: ${name}`, LEAVE_OUT))
}

/** The ingress is a front door of the deployment; the engine's own ports are the host's. */
function hostPorts({ spec }: Leaf, _tree: Tree, rule: Pick<Rule, 'ports'>): Fault[] {
  return portFaults(
    spec.ports.filter(({ mode }) => mode === 'host'),
    rule.ports ?? [],
  )
}

/** Each row takes the options of its own kind, and the row of /proc all that no other row knows. */
function options(allowed?: RegExp): Standard['faults'] {
  const kind = allowed === undefined ? null : (/^\^(\w+)=/.exec(allowed.source)?.[1] ?? null)
  return ({ spec }) =>
    spec.security_opt
      .filter((option) => (kind === null ? isOfNoOther(option) : option.startsWith(`${kind}=`)))
      .filter((option) => allowed?.test(option) !== true)
      .map((option) => fault(`security_opt: ${shown(option)}`, LEAVE_OUT))
}

function isOfNoOther(option: string): boolean {
  return !/^(?:apparmor=|label=|seccomp=|no-new-privileges=|writable-cgroups=false$)/.test(option)
}

/** A profile of the repository's own may allow anything, so it counts as none. */
function shown(option: string): string {
  return option.startsWith('seccomp={') ? 'seccomp with a profile of its own' : option
}

function mayGainPrivileges({ security_opt }: Spec): Fault[] {
  return security_opt.includes('no-new-privileges=true')
    ? []
    : [fault('it may gain privileges', 'write security_opt: [no-new-privileges:true]')]
}

function restrictedCapabilities(spec: Spec): Fault[] {
  const kept = spec.cap_drop.includes('ALL') ? [] : [fault('it keeps capabilities', 'write cap_drop: [ALL]')]
  return [...kept, ...added(spec, new Set(['NET_BIND_SERVICE']))]
}
