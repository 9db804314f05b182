// The differences between what a leaf asks for and a container that exists, field by field, in Compose's words: what
// was changed, what was added, and what is no longer wanted. Pure.

import type { Leaf, Tree } from '../desired/tree.ts'
import { filesDigest } from './digests.ts'
import { effectiveSpec, IMAGE_KEYS } from './effective.ts'
import type { ImageFacts, ObservedContainer } from './observed.ts'
import { secretChanges, withoutSecretFields } from './secret-digests.ts'
import { specFields, type SpecFields } from './spec-fields.ts'
import type { FieldChange } from './verdict.ts'

export interface Wanted {
  readonly leaf: Leaf
  readonly tree: Tree
  /** Facts of the wanted image; null where the engine does not have it yet. */
  readonly image: ImageFacts | null
}

export interface CompareContext {
  /** Id of the live container by leaf, for namespaces of the form `service:X`. */
  readonly joins: ReadonlyMap<string, string>
  /** The restart policy that should be in force now; null: not compared (a container that is not live has `no`). */
  readonly restartPolicyWanted: string | null
}

/**
 * Sorted by field; empty where the container is what the leaf asks for. Its state is not looked at. What the image
 * brings is taken from the container's own image, so that a new image shows as one change and not as many; where that
 * image is gone, what depends on it is not compared. Fields the engine cannot tell back are not compared.
 */
export function compareContainer(wanted: Wanted, container: ObservedContainer, context: CompareContext): FieldChange[] {
  const { leaf, tree } = wanted
  const { running } = container
  const image = container.image
  const from = withoutSecretFields(specFields(withDefaults(running, running.defaults)), leaf, container.labels)
  const to = specFields(withDefaults(effectiveSpec(leaf, tree, image, context.joins), running.defaults))
  const skipped = new Set<string>(running.unsupported)
  if (image === null) for (const key of IMAGE_KEYS) skipped.add(key)

  const keys = networkKeys(tree)
  const changes = [
    ...imageChange(wanted, container),
    ...valueChange('files', shortDigest(container.labels.files), shortDigest(filesDigest(leaf.spec.files))),
    ...restartChange(leaf, container, context),
    ...secretChanges(leaf, container.labels),
  ]
  for (const field of new Set([...from.keys(), ...to.keys()])) {
    if (skipped.has(topKey(field)) || isImplied(field, from, to)) continue
    if (image === null && isUnknownVolume(field, to)) continue
    changes.push(...valueChange(inDeploymentWords(field, keys), from.get(field) ?? null, to.get(field) ?? null))
  }
  // What was taken over as it was stays so, as long as it is the generation that it was taken over for.
  const stays = container.labels.generation === leaf.generation ? container.labels.adopted?.stays : undefined
  const counted = stays === undefined ? changes : changes.filter(({ field }) => !stays.includes(field))
  return counted.map(withoutSecrets).toSorted((a, b) => (a.field < b.field ? -1 : a.field > b.field ? 1 : 0))
}

/** The least step that can restore a field on a container that exists. */
export type ChangeClass = 'limits' | 'network' | 'restart-policy' | 'replace'

/** Limits that ContainerUpdate can set (Engine API 1.41). */
const LIMITS: ReadonlySet<string> = new Set([
  'cpus',
  'cpu_shares',
  'cpuset',
  'mem_limit',
  'mem_reservation',
  'memswap_limit',
  'pids_limit',
])

/**
 * `to` is the wanted value of the change: an engine can set a limit on a container that exists, but of those it can
 * only lift `pids_limit` again. Without `to` the limit is taken to be set.
 */
export function classifyChange(field: string, to?: string | null): ChangeClass {
  if (LIMITS.has(field)) return to === null && field !== 'pids_limit' ? 'replace' : 'limits'
  if (field === 'restart') return 'restart-policy'
  return topKey(field) === 'networks' ? 'network' : 'replace'
}

/**
 * The authored reference alone: a tag that moved since, in the registry or on this host, is no change. What a generation
 * runs is what passed its gate; another image takes another generation.
 */
function imageChange({ leaf }: Wanted, { labels }: ObservedContainer): FieldChange[] {
  return valueChange('image', labels.image, leaf.spec.image)
}

/** The authored policy is a label; the one in force is compared where the container is to have it. */
function restartChange(leaf: Leaf, container: ObservedContainer, context: CompareContext): FieldChange[] {
  if (container.labels.restart !== leaf.spec.restart) {
    return valueChange('restart', container.labels.restart, leaf.spec.restart)
  }
  const wanted = context.restartPolicyWanted
  return wanted === null ? [] : valueChange('restart', policyText(container.restartPolicy), policyText(wanted))
}

function policyText(policy: string): string {
  return policy === 'on-failure:0' ? 'on-failure' : policy
}

function valueChange(field: string, from: string | null, to: string | null): FieldChange[] {
  return from === to ? [] : [{ field, from, to }]
}

/** What the engine chooses for an absent value is the same as that value said aloud. */
function withDefaults<S extends { cgroup?: string; runtime?: string }>(
  spec: S,
  defaults: { readonly cgroup?: string; readonly runtime?: string } | undefined,
): S {
  const { cgroup, runtime, ...rest } = spec
  const kept = {
    ...(cgroup === undefined || cgroup === defaults?.cgroup ? {} : { cgroup }),
    ...(runtime === undefined || runtime === defaults?.runtime ? {} : { runtime }),
  }
  return { ...rest, ...kept } as S
}

/**
 * Details of a network that is itself joined or left say nothing more, and neither do networks where another mode takes
 * their place. A running container always has MAC addresses; only one that is asked for can differ.
 */
function isImplied(field: string, from: SpecFields, to: SpecFields): boolean {
  if (field === 'mac_address') return to.has(field) || [...to.keys()].some((name) => name.endsWith('.mac_address'))
  if (topKey(field) !== 'networks') return false
  if (from.get('network_mode') !== to.get('network_mode')) return true
  const parent = /^(networks\..+)\.(aliases|ipv4_address|ipv6_address|link_local_ips|mac_address)$/.exec(field)?.[1]
  if (parent === undefined) return false
  return from.has(parent) !== to.has(parent) || (field.endsWith('.mac_address') && !to.has(field))
}

/** A volume that may be there for a path the image declares. */
function isUnknownVolume(field: string, to: SpecFields): boolean {
  return topKey(field) === 'volumes' && !to.has(field)
}

function networkKeys(tree: Tree): ReadonlyMap<string, string> {
  return new Map([...tree.networks.values()].map(({ key, name }) => [name, key]))
}

function inDeploymentWords(field: string, keys: ReadonlyMap<string, string>): string {
  const match = /^networks\.(.+?)(\.(?:aliases|ipv4_address|ipv6_address|link_local_ips|mac_address))?$/.exec(field)
  const [, name, detail = ''] = match ?? []
  return name === undefined ? field : `networks.${keys.get(name) ?? name}${detail}`
}

/** Values that by their names are likely to be secrets are never shown. */
export function withoutSecrets(change: FieldChange): FieldChange {
  if (topKey(change.field) !== 'environment') return change
  if (!/(PASSW|SECRET|TOKEN|CREDENTIAL|PRIVATE|API_?KEY|ACCESS_?KEY|_KEY$|_PASS$)/i.test(change.field)) return change
  return {
    ...change,
    from: change.from === null ? null : '(hidden)',
    to: change.to === null ? null : '(hidden, differs)',
  }
}

function topKey(field: string): string {
  const dot = field.indexOf('.')
  return dot === -1 ? field : field.slice(0, dot)
}

function shortDigest(digest: string): string | null {
  return digest === '' ? null : digest.slice(0, 12)
}
