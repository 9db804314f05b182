import { describe, expect, it } from 'vitest'

import type { Spec } from '../../../src/desired/spec.ts'
import type { Leaf, Tree } from '../../../src/desired/tree.ts'
import { classifyChange, compareContainer } from '../../../src/plan/compare.ts'
import { filesDigest } from '../../../src/plan/digests.ts'
import { effectiveSpec } from '../../../src/plan/effective.ts'
import type { ImageFacts, ObservedContainer } from '../../../src/plan/observed.ts'
import { leafOf as sampleLeaf } from '../../engine/contract/sample-tree.ts'

const BARE_IMAGE: ImageFacts = {
  id: 'sha256:aaaaaaaaaaaa1111',
  digests: [],
  environment: { PATH: '/bin' },
  command: ['serve'],
  entrypoint: [],
  user: '',
  working_dir: '',
  labels: {},
  expose: [],
  volumes: [],
  stop_signal: '',
  healthcheck: null,
}

const SPEC: Spec = {
  image: 'quay.io/x/web:1',
  environment: { DEBUG: '1' },
  labels: {},
  annotations: {},
  init: 'auto',
  tty: false,
  stdin_open: false,
  read_only: false,
  privileged: false,
  expose: [],
  ports: [],
  networks: { backend: { aliases: ['api'] } },
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
  logging: { driver: 'json-file', options: {} },
}

const TREE: Tree = {
  commit: null,
  name: 'shop',
  prefix: 'shop-',
  root: {
    path: '',
    name: 'shop',
    description: '',
    depends_on: [],
    together: false,
    state: 'running',
    suspend: false,
    sets: [],
    leaves: [],
  },
  leaves: new Map(),
  networks: new Map([['backend', network('backend')]]),
  volumes: new Map([
    [
      'data',
      { key: 'data', name: 'shop_data', external: false, options: { driver: 'local', driver_opts: {}, labels: {} } },
    ],
  ]),
  ingress: null,
  removal_limit: null,
}

describe('compareContainer', () => {
  it('finds nothing where the container is what the leaf asks for', () => {
    expect(changes(SPEC, SPEC)).toEqual([])
  })

  it('names what was added, changed and taken away, in the words of the deployment', () => {
    const before = {
      ...SPEC,
      ipc: 'host',
      networks: { backend: { aliases: ['api', 'old'] } },
      environment: { DEBUG: '1', GONE: 'x' },
    }
    const after = { ...SPEC, environment: { DEBUG: '0', NEW: '' }, user: '5' }
    expect(changes(after, before)).toEqual([
      { field: 'environment.DEBUG', from: '1', to: '0' },
      { field: 'environment.GONE', from: 'x', to: null },
      { field: 'environment.NEW', from: null, to: '' },
      { field: 'ipc', from: 'host', to: null },
      { field: 'networks.backend.aliases', from: 'api, old', to: 'api' },
      { field: 'user', from: null, to: '5' },
    ])
  })

  it('keeps values of likely secrets to itself', () => {
    const shown = changes(
      { ...SPEC, environment: { DB_PASSWORD: 'new' } },
      { ...SPEC, environment: { DB_PASSWORD: 'old' } },
    )
    expect(shown).toEqual([{ field: 'environment.DB_PASSWORD', from: '(hidden)', to: '(hidden, differs)' }])
  })

  it('shows another image as one change; a tag that moved is none', () => {
    const rich = { ...BARE_IMAGE, id: 'sha256:bbbbbbbbbbbb2222', environment: { PATH: '/usr/bin' }, user: '9' }
    expect(changes({ ...SPEC, image: 'quay.io/x/web:2' }, SPEC, { wanted: rich })).toEqual([
      { field: 'image', from: 'quay.io/x/web:1', to: 'quay.io/x/web:2' },
    ])
    expect(changes(SPEC, SPEC, { wanted: rich })).toEqual([])
    expect(changes(SPEC, SPEC, { wanted: null })).toEqual([])
  })

  it('compares what does not depend on the image where that image is gone', () => {
    const container = { ...containerOf(SPEC), image: null }
    const after = leafOf({ ...SPEC, environment: {}, tty: true })
    const found = compareContainer({ leaf: after, tree: TREE, image: null }, container, context())
    expect(found.map((change) => change.field)).toEqual(['tty'])
  })

  it('does not compare what the engine cannot tell back', () => {
    const container = containerOf(SPEC)
    const deaf = { ...container, running: { ...container.running, unsupported: ['user', 'networks'] as const } }
    const after = leafOf({ ...SPEC, user: '5', networks: {}, network_mode: 'none' })
    const found = compareContainer({ leaf: after, tree: TREE, image: BARE_IMAGE }, deaf, context())
    expect(found.map((change) => change.field)).toEqual(['network_mode'])
  })

  it('sees that the container whose namespace it joins is another one now', () => {
    const spec: Spec = { ...SPEC, networks: {}, network_mode: 'service:proxy' }
    const container = containerOf(spec, new Map([['proxy', 'old-id']]))
    const found = (id: string) =>
      compareContainer({ leaf: leafOf(spec), tree: TREE, image: BARE_IMAGE }, container, {
        joins: new Map([['proxy', id]]),
        restartPolicyWanted: null,
      })
    expect(found('old-id')).toEqual([])
    expect(found('new-id')).toEqual([{ field: 'network_mode', from: 'container:old-id', to: 'container:new-id' }])
  })

  it('compares the authored restart policy with the label, and the wanted one with the one in force', () => {
    const container = { ...containerOf(SPEC), restartPolicy: 'no' }
    const wanted = { leaf: leafOf(SPEC), tree: TREE, image: BARE_IMAGE }
    expect(compareContainer(wanted, container, { joins: new Map(), restartPolicyWanted: 'no' })).toEqual([])
    expect(compareContainer(wanted, container, { joins: new Map(), restartPolicyWanted: 'always' })).toEqual([
      { field: 'restart', from: 'no', to: 'always' },
    ])
    const other = { ...wanted, leaf: leafOf({ ...SPEC, restart: 'on-failure' }) }
    expect(compareContainer(other, container, { joins: new Map(), restartPolicyWanted: null })).toEqual([
      { field: 'restart', from: 'always', to: 'on-failure' },
    ])
  })

  it('takes different spellings of one thing as one', () => {
    const one: Spec = {
      ...SPEC,
      cap_add: ['NET_ADMIN'],
      security_opt: ['label:disable'],
      pids_limit: -1,
      shm_size: 64 * 2 ** 20,
    }
    const other: Spec = { ...SPEC, cap_add: ['CAP_NET_ADMIN'], security_opt: ['label=disable'], oom_score_adj: 0 }
    expect(changes(one, other)).toEqual([])
    expect(changes({ ...SPEC, mem_limit: 100, memswap_limit: 200 }, { ...SPEC, mem_limit: 100 })).toEqual([])
    expect(changes({ ...SPEC, stop_grace_period: 1200 }, { ...SPEC, stop_grace_period: 2000 })).toEqual([])
  })

  it('knows networks that the deployment does not declare by their name on the engine', () => {
    const container = containerOf(SPEC)
    const networks = { ...container.running.networks, bridge: { aliases: ['x'] } }
    const joined = { ...container, running: { ...container.running, networks } }
    const found = compareContainer({ leaf: leafOf(SPEC), tree: TREE, image: BARE_IMAGE }, joined, context())
    expect(found).toEqual([{ field: 'networks.bridge', from: 'joined', to: null }])
  })
})

describe('classifyChange', () => {
  it('takes the least step that an engine has', () => {
    expect(classifyChange('cpus', '2')).toBe('limits')
    expect(classifyChange('cpus', null)).toBe('replace')
    expect(classifyChange('pids_limit', null)).toBe('limits')
    expect(classifyChange('networks.backend', null)).toBe('network')
    expect(classifyChange('networks.backend.aliases', 'api')).toBe('network')
    expect(classifyChange('restart', 'no')).toBe('restart-policy')
    for (const field of ['network_mode', 'image', 'environment.A', 'shm_size', 'ulimits.nofile', 'volumes./data']) {
      expect(classifyChange(field, 'x')).toBe('replace')
    }
  })
})

describe('effectiveSpec', () => {
  const image = { ...BARE_IMAGE, entrypoint: ['/entry'], healthcheck: { test: ['CMD', 'ok'], interval: 7000 } }
  const effective = (spec: Partial<Spec>) => effectiveSpec(leafOf({ ...SPEC, ...spec }), TREE, image, new Map())

  it('drops the image’s command with its entry point', () => {
    expect(effective({})).toMatchObject({ entrypoint: ['/entry'], command: ['serve'] })
    expect(effective({ command: ['x'] })).toMatchObject({ entrypoint: ['/entry'], command: ['x'] })
    expect(effective({ entrypoint: ['/mine'] })).toMatchObject({ entrypoint: ['/mine'], command: [] })
  })

  it('fills an own check from the image’s, and takes the image’s where there is none', () => {
    expect(effective({}).healthcheck).toEqual({ test: ['CMD', 'ok'], interval: 7000 })
    expect(effective({ healthcheck: { timeout: 5 } }).healthcheck).toEqual({
      test: ['CMD', 'ok'],
      interval: 7000,
      timeout: 5,
    })
    expect(effective({ healthcheck: { disable: true } }).healthcheck).toEqual({ disable: true })
  })

  it('gives networks and volumes their names on the engine, and names of its own to none', () => {
    const spec = effective({
      hostname: 'web-host',
      networks: { backend: { aliases: ['api', 'shop-web', 'web-host'] } },
      mounts: [{ type: 'volume', source: 'data', target: '/data', read_only: false }],
    })
    expect(spec.networks).toEqual({ shop_backend: { aliases: ['api'] } })
    expect(spec.mounts).toEqual([{ type: 'volume', source: 'shop_data', target: '/data', read_only: false }])
  })
})

function changes(after: Spec, before: Spec, image: { wanted: ImageFacts | null } = { wanted: BARE_IMAGE }) {
  return compareContainer({ leaf: leafOf(after), tree: TREE, image: image.wanted }, containerOf(before), context())
}

function context() {
  return { joins: new Map<string, string>(), restartPolicyWanted: null }
}

/** A container that an engine made from the spec and tells back without a difference. */
function containerOf(spec: Spec, joins: ReadonlyMap<string, string> = new Map()): ObservedContainer {
  return {
    id: 'f'.repeat(64),
    name: 'shop-web',
    labels: {
      deployment: 'shop',
      leaf: 'web',
      kind: 'container',
      generation: 1,
      digest: '',
      commit: '',
      restart: spec.restart,
      image: spec.image,
      imageId: BARE_IMAGE.id,
      files: filesDigest(spec.files),
    },
    state: 'running',
    health: 'none',
    exitCode: 0,
    oomKilled: false,
    error: '',
    createdAt: 0,
    startedAt: 0,
    finishedAt: null,
    restartCount: 0,
    restartPolicy: spec.restart,
    imageId: BARE_IMAGE.id,
    image: BARE_IMAGE,
    running: { ...effectiveSpec(leafOf(spec), TREE, BARE_IMAGE, joins), unsupported: [] },
    addresses: new Map(),
  }
}

function leafOf(spec: Spec): Leaf {
  return { ...sampleLeaf('web'), spec }
}

function network(key: string) {
  const ipam = { config: [] }
  const options = {
    driver: 'bridge',
    driver_opts: {},
    internal: false,
    attachable: false,
    enable_ipv6: false,
    ipam,
    labels: {},
  }
  return { key, name: `shop_${key}`, external: false, options }
}
