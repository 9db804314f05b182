// A small tree with one leaf, for tests that set one key of its spec.

import { sha256 } from '../../../src/desired/ledger-digest.ts'
import type { OpenSecrets, SecretsSpec } from '../../../src/desired/secret-source.ts'
import { SecretValue } from '../../../src/desired/secret-value.ts'
import type { Spec } from '../../../src/desired/spec.ts'
import type { Leaf, NetworkWish, Tree, VolumeWish } from '../../../src/desired/tree.ts'

export const BASE_IMAGE = 'graft-test/base:1'

/** A spec that asks for nothing but a command that stays. */
export function plainSpec(): Spec {
  return {
    image: BASE_IMAGE,
    command: ['sleep', '1000'],
    environment: {},
    labels: {},
    annotations: {},
    init: 'auto',
    tty: false,
    stdin_open: false,
    read_only: false,
    privileged: false,
    expose: [],
    ports: [],
    networks: { default: { aliases: [] } },
    extra_hosts: [],
    dns: [],
    dns_search: [],
    dns_opt: [],
    mounts: [],
    files: {},
    restart: 'always',
    cap_add: [],
    cap_drop: [],
    security_opt: [],
    devices: [],
    device_cgroup_rules: [],
    group_add: [],
    sysctls: {},
    ulimits: {},
    logging: { driver: 'json-file', options: { 'max-file': '3', 'max-size': '10m' } },
  }
}

export function leafOf(
  name: string,
  spec: Partial<Spec> = {},
  fileContents: ReadonlyMap<string, Uint8Array> = new Map(),
): Leaf {
  return {
    name,
    kind: 'container',
    file: `${name}.yaml`,
    set: '',
    generation: 7,
    generationLine: 1,
    renamed_from: null,
    spec: { ...plainSpec(), ...spec },
    digestComment: null,
    ledgerDigest: '0'.repeat(64),
    fileContents,
    ...(spec.secrets === undefined ? {} : { secrets: openedSecrets(spec.secrets) }),
    pull_policy: 'missing',
    probe: null,
    update: { order: null, deadline: 60_000, settle: 0, drain: 0, measure: false },
    image_policy: null,
    on_unhealthy: 'restart',
    prune: true,
    dependencies: new Map(),
    state: 'running',
    suspend: false,
  }
}

/** As a host would open them. */
export function openedSecrets({ files, environment }: SecretsSpec): OpenSecrets {
  const contents = [...Object.values(files).map(({ content }) => content), ...Object.values(environment)]
  return {
    values: new Map(contents.map((content) => [content, new SecretValue(Buffer.from(`the value of ${content}`))])),
    fingerprints: new Map(contents.map((content) => [content, sha256(content)])),
  }
}

export function treeOf(deployment: string, leaves: readonly Leaf[]): Tree {
  const networks = [networkWish(deployment, 'default'), networkWish(deployment, 'backend'), subnetWish(deployment)]
  const volumes = [volumeWish(deployment, 'data')]
  return {
    commit: { id: 'c'.repeat(40), parents: [], subject: 'test', author: 'test', time: 0 },
    name: deployment,
    prefix: `${deployment}-`,
    root: {
      path: '',
      name: deployment,
      description: '',
      depends_on: [],
      together: false,
      state: 'running',
      suspend: false,
      sets: [],
      leaves: leaves.map((leaf) => leaf.name),
    },
    leaves: new Map(leaves.map((leaf) => [leaf.name, leaf])),
    networks: new Map(networks.map((wish) => [wish.key, wish])),
    volumes: new Map(volumes.map((wish) => [wish.key, wish])),
    ingress: null,
    removal_limit: null,
  }
}

export function volumeWish(deployment: string, key: string): VolumeWish {
  const options = { driver: 'local', driver_opts: {}, labels: { 'org.example.volume': key } }
  return { key, name: `${deployment}_${key}`, external: false, options }
}

function networkWish(deployment: string, key: string): NetworkWish {
  return {
    key,
    name: `${deployment}_${key}`,
    external: false,
    options: {
      driver: 'bridge',
      driver_opts: {},
      internal: false,
      attachable: false,
      enable_ipv6: false,
      ipam: { config: [] },
      labels: {},
    },
  }
}

/** The network on which addresses can be fixed. */
function subnetWish(deployment: string): NetworkWish {
  const wish = networkWish(deployment, 'fixed')
  return { ...wish, options: { ...wish.options, ipam: { config: [{ subnet: '10.231.77.0/24' }] } } }
}
