// What an engine will hold for a spec, once it has merged in what the image says (Engine API, ContainerCreate: the
// image's configuration fills what the container's leaves open). Pure.

import type { EngineHealthcheck, Mount, NetworkJoin, Spec } from '../desired/spec.ts'
import type { Leaf, Tree } from '../desired/tree.ts'
import { imageVolumes } from './image-volumes.ts'
import { wantsInit } from './init.ts'
import type { ImageFacts, RunningSpec } from './observed.ts'

export type EffectiveSpec = Omit<RunningSpec, 'unsupported' | 'defaults'>

/** Keys whose value depends on the image; they cannot be compared where its facts are not known. */
export const IMAGE_KEYS: ReadonlySet<string> = new Set([
  'command',
  'entrypoint',
  'environment',
  'labels',
  'user',
  'working_dir',
  'init',
  'expose',
  'healthcheck',
  'stop_signal',
])

/**
 * `image`: facts of the image the container is made from; null where they are not known, and then the `IMAGE_KEYS`
 * carry the spec's own part only. `joins`: id of the live container by leaf, for namespaces of the form `service:X`.
 */
export function effectiveSpec(
  leaf: Leaf,
  tree: Tree,
  image: ImageFacts | null,
  joins: ReadonlyMap<string, string>,
): EffectiveSpec {
  const { image: _image, files: _files, restart: _restart, init: _init, secrets, ...spec } = leaf.spec
  const published = spec.ports.filter((port) => port.mode === 'host')
  const { command: _command, entrypoint: _entrypoint, user, working_dir, stop_signal, healthcheck, ...rest } = spec
  return {
    ...rest,
    ...mergedCommand(leaf.spec, image),
    environment: withoutSecretVariables({ ...image?.environment, ...spec.environment }, secrets),
    labels: { ...image?.labels, ...spec.labels },
    ...optional('user', user ?? nonBlank(image?.user)),
    ...optional('working_dir', working_dir ?? nonBlank(image?.working_dir)),
    ...optional('stop_signal', stop_signal ?? nonBlank(image?.stop_signal)),
    ...optional('healthcheck', mergedHealthcheck(healthcheck, image)),
    init: image === null ? leaf.spec.init === true : wantsInit(leaf.spec, image),
    expose: [
      ...new Set([
        ...spec.expose,
        ...(image?.expose ?? []),
        ...published.map((port) => `${port.target}/${port.protocol}`),
      ]),
    ].toSorted(),
    ports: spec.ports,
    networks: engineNetworks(leaf, tree),
    mounts: engineMounts(leaf, tree, image),
    ...optional('network_mode', ownNetworkMode(leaf.spec, joins)),
    ...optional('ipc', joined(spec.ipc, joins)),
    ...optional('pid', joined(spec.pid, joins)),
  }
}

/** What a secret stands for is compared by its digest, and nowhere else. */
function withoutSecretVariables(all: Spec['environment'], secrets: Spec['secrets']): Spec['environment'] {
  if (secrets === undefined) return all
  return Object.fromEntries(Object.entries(all).filter(([name]) => !Object.hasOwn(secrets.environment, name)))
}

/** An own entry point drops the image's command (Compose Specification, services.entrypoint). */
function mergedCommand(spec: Spec, image: ImageFacts | null): Pick<EffectiveSpec, 'command' | 'entrypoint'> {
  const entrypoint = spec.entrypoint ?? [...(image?.entrypoint ?? [])]
  const command = spec.command ?? (spec.entrypoint === undefined ? [...(image?.command ?? [])] : [])
  return { entrypoint, command }
}

/** What the check leaves open comes from the image's own check, where it has one. */
function mergedHealthcheck(
  check: EngineHealthcheck | undefined,
  image: ImageFacts | null,
): EngineHealthcheck | undefined {
  const own = image?.healthcheck ?? null
  if (check === undefined) return own === null ? undefined : { ...own, test: [...own.test] }
  if ('disable' in check || own === null) return check
  return { ...own, test: [...own.test], ...check }
}

function engineNetworks(leaf: Leaf, tree: Tree): Record<string, NetworkJoin> {
  // The engine resolves these without being asked, and older ones list them among the aliases.
  const own = new Set([`${tree.prefix}${leaf.name}`, leaf.spec.hostname])
  const [first] = Object.keys(leaf.spec.networks)
  return Object.fromEntries(
    Object.entries(leaf.spec.networks).map(([key, join]) => {
      const mac = join.mac_address ?? (key === first ? leaf.spec.mac_address : undefined)
      const aliases = join.aliases.filter((alias) => !own.has(alias))
      return [tree.networks.get(key)?.name ?? key, { ...join, aliases, ...optional('mac_address', mac) }]
    }),
  )
}

function engineMounts(leaf: Leaf, tree: Tree, image: ImageFacts | null): Mount[] {
  const own = leaf.spec.mounts.map((mount) =>
    mount.type === 'volume' ? { ...mount, source: tree.volumes.get(mount.source)?.name ?? mount.source } : mount,
  )
  const declared = image === null ? [] : imageVolumes(tree.name, leaf.name, leaf.spec, image)
  return [
    ...own,
    ...declared.map(({ name, target }): Mount => ({ type: 'volume', source: name, target, read_only: false })),
  ]
}

function ownNetworkMode(spec: Spec, joins: ReadonlyMap<string, string>): string | undefined {
  return joined(spec.network_mode ?? (Object.keys(spec.networks).length === 0 ? 'none' : undefined), joins)
}

/** `service:X` reads `container:ID` on an engine; it stays as it is where X has no container. */
function joined(mode: string | undefined, joins: ReadonlyMap<string, string>): string | undefined {
  if (mode === undefined || !mode.startsWith('service:')) return mode
  const id = joins.get(mode.slice('service:'.length))
  return id === undefined ? mode : `container:${id}`
}

function nonBlank(text: string | undefined): string | undefined {
  return text === undefined || text === '' ? undefined : text
}

function optional<Key extends string, Value>(key: Key, value: Value | undefined): { [key in Key]?: Value } {
  const holder: { [key in Key]?: Value } = {}
  if (value !== undefined) holder[key] = value
  return holder
}
