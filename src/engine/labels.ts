// The labels under `dev.graft.` that say whose a container, network or volume is. This is the only file that knows
// their keys. They are an interface with everything that ever ran under graft: a key keeps its meaning for ever.

import type { PublishedPort } from '../desired/spec.ts'
import type { NetworkWish, VolumeWish } from '../desired/tree.ts'
import type { CreateOrder } from '../apply/engine.ts'
import { filesDigest, optionsDigest } from '../plan/digests.ts'
import type { GraftLabels } from '../plan/observed.ts'

/** Every label of graft's starts with this; authored labels under it are refused. */
export const LABEL_PREFIX = 'dev.graft.'

const DEPLOYMENT = 'dev.graft.deployment'
const LEAF = 'dev.graft.leaf'
const KIND = 'dev.graft.kind'
const GENERATION = 'dev.graft.generation'
const DIGEST = 'dev.graft.digest'
const COMMIT = 'dev.graft.commit'
const RESTART = 'dev.graft.restart'
const IMAGE = 'dev.graft.image'
const IMAGE_ID = 'dev.graft.image-id'
const FILES = 'dev.graft.files'
const OPTIONS = 'dev.graft.options'
const HOLDER = 'dev.graft.holder'
const INGRESS_PORTS = 'dev.graft.ingress-ports'

type Labels = Record<string, string>

/** The value of a `label` filter that finds what belongs to one deployment. */
export function deploymentFilter(deployment: string): string {
  return `${DEPLOYMENT}=${deployment}`
}

/** Graft's labels of the container that an order asks for. */
export function containerLabels(order: CreateOrder): Labels {
  const { tree, leaf } = order
  const ports = leaf.spec.ports.filter(({ mode }) => mode === 'ingress').map(({ mode: _mode, ...port }) => port)
  return {
    [DEPLOYMENT]: tree.name,
    [LEAF]: leaf.name,
    [KIND]: leaf.kind,
    [GENERATION]: String(leaf.generation),
    [DIGEST]: order.runDigest,
    [COMMIT]: tree.commit?.id ?? '',
    [RESTART]: leaf.spec.restart,
    [IMAGE]: leaf.spec.image,
    [IMAGE_ID]: order.image.id,
    [FILES]: filesDigest(leaf.spec.files),
    ...(ports.length === 0 ? {} : { [INGRESS_PORTS]: JSON.stringify(ports) }),
  }
}

/** Labels of a container that only helps a deployment for a moment (a probe, a container to commit files from). */
export function helperLabels(deployment: string, leaf: string): Labels {
  return { [DEPLOYMENT]: deployment, [LEAF]: leaf, [KIND]: 'helper' }
}

/** Labels of the container whose name is the deployment's lock; `holder` is a text that says who took it. */
export function lockLabels(deployment: string, holder: string): Labels {
  return { [DEPLOYMENT]: deployment, [KIND]: 'lock', [HOLDER]: holder }
}

/** The text given to `lockLabels`; null where this is not a lock of this deployment. */
export function readLockHolder(labels: Readonly<Labels> | null | undefined, deployment: string): string | null {
  if (labels?.[DEPLOYMENT] !== deployment || labels[KIND] !== 'lock') return null
  return labels[HOLDER] ?? ''
}

export function networkLabels(deployment: string, wish: NetworkWish): Labels {
  return {
    ...wish.options.labels,
    [DEPLOYMENT]: deployment,
    [KIND]: 'network',
    [OPTIONS]: optionsDigest(wish.options),
  }
}

export function volumeLabels(deployment: string, wish: VolumeWish): Labels {
  return {
    ...wish.options.labels,
    [DEPLOYMENT]: deployment,
    [KIND]: 'volume',
    [OPTIONS]: optionsDigest(wish.options),
  }
}

/** Labels of the empty volume that says: this job has completed for this generation. */
export function markLabels(deployment: string, leaf: string, generation: number): Labels {
  return { [DEPLOYMENT]: deployment, [LEAF]: leaf, [KIND]: 'job-done', [GENERATION]: String(generation) }
}

/** The deployment something belongs to; null where it is not graft's. */
export function deploymentOf(labels: Readonly<Labels> | null | undefined): string | null {
  return labels?.[DEPLOYMENT] ?? null
}

/** The leaf something belongs to; null where it is not graft's. */
export function leafOf(labels: Readonly<Labels> | null | undefined): string | null {
  return labels?.[LEAF] ?? null
}

/** A container's labels read back; null where it is not a container of a deployment (foreign, or a helper). */
export function readContainerLabels(labels: Readonly<Labels>): GraftLabels | null {
  const deployment = labels[DEPLOYMENT]
  const kind = labels[KIND]
  if (deployment === undefined || (kind !== 'container' && kind !== 'job' && kind !== 'lock')) return null
  return {
    deployment,
    leaf: labels[LEAF] ?? '',
    kind,
    generation: readGeneration(labels) ?? 0,
    digest: labels[DIGEST] ?? '',
    commit: labels[COMMIT] ?? '',
    restart: labels[RESTART] ?? '',
    image: labels[IMAGE] ?? '',
    imageId: labels[IMAGE_ID] ?? '',
    files: labels[FILES] ?? '',
  }
}

/** The ports that the deployment's ingress opens for a container: no engine has a place of its own for them. */
export function readIngressPorts(labels: Readonly<Labels> | null | undefined): PublishedPort[] {
  const text = labels?.[INGRESS_PORTS]
  if (text === undefined || deploymentOf(labels) === null) return []
  try {
    const ports: unknown = JSON.parse(text)
    return Array.isArray(ports) ? ports.map((port: PublishedPort) => ({ ...port, mode: 'ingress' })) : []
  } catch {
    return []
  }
}

/** The labels of a network or a volume, read back; every part null where it is not graft's. */
export function readResourceLabels(labels: Readonly<Labels> | null | undefined): {
  readonly deployment: string | null
  readonly kind: string | null
  readonly leaf: string | null
  readonly generation: number | null
  readonly optionsDigest: string | null
} {
  if (!labels || labels[DEPLOYMENT] === undefined) {
    return { deployment: null, kind: null, leaf: null, generation: null, optionsDigest: null }
  }
  return {
    deployment: labels[DEPLOYMENT],
    kind: labels[KIND] ?? null,
    leaf: labels[LEAF] ?? null,
    generation: readGeneration(labels),
    optionsDigest: labels[OPTIONS] ?? null,
  }
}

/** The labels that an author or an image gave: all but graft's own. */
export function authoredLabels(labels: Readonly<Labels> | null | undefined): Labels {
  return Object.fromEntries(Object.entries(labels ?? {}).filter(([key]) => !key.startsWith(LABEL_PREFIX)))
}

function readGeneration(labels: Readonly<Labels>): number | null {
  const text = labels[GENERATION]
  return text !== undefined && /^\d{1,15}$/.test(text) ? Number(text) : null
}
