// The labels under `dev.graft.` that say whose a container, network or volume is. This is the only file that knows
// their keys. They are an interface with everything that ever ran under graft: a key keeps its meaning for ever.

import { isIP } from 'node:net'

import type { PublishedPort } from '../desired/spec.ts'
import type { NetworkWish, VolumeWish } from '../desired/tree.ts'
import type { CreateOrder } from '../apply/engine.ts'
import { filesDigest, optionsDigest } from '../plan/digests.ts'
import { secretDigests } from '../plan/secret-digests.ts'
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
const FILE_PATHS = 'dev.graft.file-paths'
const OPTIONS = 'dev.graft.options'
const HOLDER = 'dev.graft.holder'
const SECRETS = 'dev.graft.secrets'
const INGRESS_PORTS = 'dev.graft.ingress-ports'
const CONTAINER = 'dev.graft.container'
const STAYS = 'dev.graft.stays'

type Labels = Record<string, string>

/** The value of a `label` filter that finds what belongs to one deployment. */
export function deploymentFilter(deployment: string): string {
  return `${DEPLOYMENT}=${deployment}`
}

/** An engine adds an image's labels where a container has none of that name: none of these is ever left to an image. */
const NOTHING: Labels = {
  [OPTIONS]: '',
  [HOLDER]: '',
  [SECRETS]: '',
  [FILE_PATHS]: '',
  [INGRESS_PORTS]: '',
  [CONTAINER]: '',
  [STAYS]: '',
}

/** Graft's labels of the container that an order asks for. */
export function containerLabels(order: CreateOrder): Labels {
  const { tree, leaf } = order
  const paths = Object.keys(leaf.spec.files).toSorted()
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
    ...NOTHING,
    ...secretsLabel(secretDigests(leaf)),
    ...(paths.length === 0 ? {} : { [FILE_PATHS]: JSON.stringify(paths) }),
    ...(ports.length === 0 ? {} : { [INGRESS_PORTS]: JSON.stringify(ports) }),
  }
}

/** Labels of a container that only helps a deployment for a moment (a probe, a container to commit files from). */
export function helperLabels(deployment: string, leaf: string): Labels {
  return { ...NOTHING, [DEPLOYMENT]: deployment, [LEAF]: leaf, [KIND]: 'helper' }
}

/** Labels of the container whose name is the deployment's lock; `holder` is a text that says who took it. */
export function lockLabels(deployment: string, holder: string): Labels {
  return { ...NOTHING, [DEPLOYMENT]: deployment, [KIND]: 'lock', [HOLDER]: holder }
}

/** The text given to `lockLabels`; null where this is not a lock of this deployment. */
export function readLockHolder(labels: Readonly<Labels> | null | undefined, deployment: string): string | null {
  if (labels?.[DEPLOYMENT] !== deployment || labels[KIND] !== 'lock') return null
  return labels[HOLDER] ?? ''
}

/** Whether labels are those of a deployment's lock. */
export function isLock(labels: Readonly<Labels>): boolean {
  return labels[KIND] === 'lock'
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

/** Labels of the empty volume that says: this container counts as if it had these labels. */
export function markedContainer(id: string, labels: GraftLabels): Labels {
  return { ...writtenLabels(labels), [KIND]: 'adopted', [CONTAINER]: id }
}

/** The container that a volume's labels speak of, and as what it counts; null where the volume is no such mark. */
export function readMarkedContainer(
  labels: Readonly<Labels> | null | undefined,
): { readonly id: string; readonly labels: GraftLabels } | null {
  const id = labels?.[CONTAINER]
  if (!labels || labels[KIND] !== 'adopted' || id === undefined) return null
  const read = readContainerLabels({ ...labels, [KIND]: 'container' })
  return read === null ? null : { id, labels: { ...read, adopted: { stays: readStays(labels) ?? [] } } }
}

/** What `readContainerLabels` reads back. */
export function writtenLabels(labels: GraftLabels): Labels {
  return {
    [DEPLOYMENT]: labels.deployment,
    [LEAF]: labels.leaf,
    [KIND]: labels.kind,
    [GENERATION]: String(labels.generation),
    [DIGEST]: labels.digest,
    [COMMIT]: labels.commit,
    [RESTART]: labels.restart,
    [IMAGE]: labels.image,
    [IMAGE_ID]: labels.imageId,
    [FILES]: labels.files,
    ...secretsLabel(labels.secrets ?? null),
    ...(labels.adopted === undefined ? {} : { [STAYS]: JSON.stringify(labels.adopted.stays) }),
  }
}

function readStays(labels: Readonly<Labels>): readonly string[] | null {
  return readTexts(labels[STAYS])
}

/** Where graft has put files into a container; none where it was made before that was written down. */
export function readFilePaths(labels: Readonly<Labels> | null | undefined): readonly string[] {
  return readTexts(labels?.[FILE_PATHS]) ?? []
}

function readTexts(text: string | undefined): readonly string[] | null {
  if (text === undefined || text === '') return null
  try {
    const found: unknown = JSON.parse(text)
    return Array.isArray(found) ? found.filter((one) => typeof one === 'string') : []
  } catch {
    return []
  }
}

/** What is written of a container that is nobody's. */
export const NOBODYS: GraftLabels = {
  deployment: '',
  leaf: '',
  kind: 'container',
  generation: 0,
  digest: '',
  commit: '',
  restart: '',
  image: '',
  imageId: '',
  files: '',
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
  const stays = readStays(labels)
  const secrets = readSecrets(labels)
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
    ...(secrets === null ? {} : { secrets }),
    ...(stays === null ? {} : { adopted: { stays } }),
  }
}

/** The ports that the deployment's ingress opens for a container: no engine has a place of its own for them. */
export function readIngressPorts(labels: Readonly<Labels> | null | undefined): PublishedPort[] {
  const text = labels?.[INGRESS_PORTS]
  if (text === undefined || text === '' || deploymentOf(labels) === null) return []
  try {
    const ports: unknown = JSON.parse(text)
    return Array.isArray(ports) ? ports.filter(isPort).map((port) => ({ ...port, mode: 'ingress' })) : []
  } catch {
    return []
  }
}

function secretsLabel(digests: Readonly<Record<string, string>> | null): Labels {
  return digests === null ? {} : { [SECRETS]: JSON.stringify(digests) }
}

/** Keyed digests of a container's secrets by field (`secrets./run/secrets/x`, `environment.NAME`); null without any. */
export function readSecrets(labels: Readonly<Labels> | null | undefined): Record<string, string> | null {
  const text = labels?.[SECRETS]
  if (text === undefined || text === '') return null
  try {
    const found: unknown = JSON.parse(text)
    if (found === null || typeof found !== 'object') return null
    return Object.fromEntries(Object.entries(found).filter(([, digest]) => typeof digest === 'string'))
  } catch {
    return null
  }
}

/** Labels are what somebody with the engine's socket wrote; only what graft could have written counts. */
function isPort(value: unknown): value is PublishedPort {
  if (typeof value !== 'object' || value === null) return false
  const { target, published, protocol, host_ip, http, proxy_protocol } = value as Partial<Record<string, unknown>>
  const isNumber = (port: unknown): boolean =>
    typeof port === 'number' && Number.isInteger(port) && port >= 0 && port <= 65_535
  return (
    isNumber(target) &&
    isNumber(published) &&
    (protocol === 'tcp' || protocol === 'udp' || protocol === 'sctp') &&
    (host_ip === undefined || (typeof host_ip === 'string' && isIP(host_ip) !== 0)) &&
    (http === undefined || http === true) &&
    (proxy_protocol === undefined || proxy_protocol === true)
  )
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
