import { describe, expect, it } from 'vitest'

import type { EngineDefaults } from '../../../src/engine/connect.ts'
import { containerLabels, readContainerLabels, readResourceLabels, volumeLabels } from '../../../src/engine/labels.ts'
import { readRestartPolicy, runningSpec } from '../../../src/engine/running-spec.ts'
import type { WireConfig, WireContainer, WireEndpoint, WireHostConfig } from '../../../src/engine/wire.ts'
import { leafOf, treeOf, volumeWish } from '../../engine/contract/sample-tree.ts'

const ID = 'abcdef012345'.padEnd(64, '0')
const DEFAULTS: EngineDefaults = { hostname: 'thehost', cgroup: 'private', runtime: 'runc', missingLimits: [] }

function inspected(
  host: WireHostConfig,
  config: WireConfig = {},
  networks: Record<string, WireEndpoint> = {},
): WireContainer {
  return {
    Id: ID,
    Name: '/web',
    Created: '',
    Image: '',
    State: { Status: 'running' },
    Config: config,
    HostConfig: host,
    NetworkSettings: { Networks: networks },
  }
}

function read(host: WireHostConfig, config?: WireConfig, networks?: Record<string, WireEndpoint>) {
  return runningSpec(inspected(host, config, networks), DEFAULTS)
}

describe('what an engine fills in by itself', () => {
  it('is left out', () => {
    const spec = read(
      {
        NetworkMode: 'shop_default',
        IpcMode: 'private',
        MemorySwap: 0,
        PidsLimit: null,
        OomScoreAdj: 0,
        OomKillDisable: false,
        CapAdd: null,
        Mounts: null,
        Ulimits: null,
      },
      { Hostname: ID.slice(0, 12), Env: null, Cmd: null, Entrypoint: null, Healthcheck: {} },
    )
    for (const key of [
      'hostname',
      'ipc',
      'memswap_limit',
      'pids_limit',
      'oom_score_adj',
      'command',
      'entrypoint',
      'healthcheck',
    ]) {
      expect(spec).not.toHaveProperty(key)
    }
    expect(spec).toMatchObject({ environment: {}, mounts: [], ulimits: {}, cap_add: [], init: false })
  })

  it('includes the host’s name on the host’s network, and the joined container’s in its namespace', () => {
    expect(read({ NetworkMode: 'host' }, { Hostname: 'thehost' })).not.toHaveProperty('hostname')
    expect(read({ NetworkMode: 'container:x' }, { Hostname: 'other' })).not.toHaveProperty('hostname')
    expect(read({ NetworkMode: 'host' }, { Hostname: 'mine' })).toHaveProperty('hostname', 'mine')
  })

  it('includes an older engine’s aliases, the short id and the host name', () => {
    const endpoint = { Aliases: ['api', ID.slice(0, 12), 'broker'], IPAMConfig: {}, MacAddress: '' }
    const spec = read({ NetworkMode: 'shop_default' }, { Hostname: 'broker' }, { shop_default: endpoint })
    expect(spec.networks).toEqual({ shop_default: { aliases: ['api'] } })
  })
})

describe('what somebody changed', () => {
  it('is read from a quota as from NanoCpus', () => {
    expect(read({ NanoCpus: 1.5e9 }).cpus).toBe(1.5)
    expect(read({ CpuQuota: 50_000 }).cpus).toBe(0.5)
    expect(read({ CpuQuota: 50_000, CpuPeriod: 25_000 }).cpus).toBe(2)
    expect(read({ CpuQuota: -1 })).not.toHaveProperty('cpus')
  })

  it('is read from a restart policy with its number', () => {
    expect(readRestartPolicy({ Name: 'on-failure', MaximumRetryCount: 3 })).toBe('on-failure:3')
    expect(readRestartPolicy({ Name: 'always', MaximumRetryCount: 0 })).toBe('always')
    expect(readRestartPolicy({ Name: '' })).toBe('no')
    expect(readRestartPolicy(undefined)).toBe('no')
  })
})

describe('mounts', () => {
  it('are read from all the forms an engine keeps them in', () => {
    const { mounts } = read({
      Binds: ['/host/a:/a:ro,rslave,Z', 'named:/b', '/host/c:/c'],
      Mounts: [
        { Type: 'volume', Source: 'data', Target: '/d', VolumeOptions: { NoCopy: true, Subpath: 'x' } },
        { Type: 'bind', Source: '/host/e', Target: '/e', ReadOnly: true, BindOptions: { Propagation: 'shared' } },
        { Type: 'tmpfs', Target: '/f', TmpfsOptions: { SizeBytes: 10, Mode: 0o1777 } },
      ],
      Tmpfs: { '/g': 'size=20,mode=700,noexec' },
    })
    expect(mounts).toEqual([
      {
        type: 'bind',
        source: '/host/a',
        target: '/a',
        read_only: true,
        create_host_path: true,
        propagation: 'rslave',
        selinux: 'Z',
      },
      { type: 'volume', source: 'named', target: '/b', read_only: false },
      { type: 'bind', source: '/host/c', target: '/c', read_only: false, create_host_path: true },
      { type: 'volume', source: 'data', target: '/d', read_only: false, nocopy: true, subpath: 'x' },
      {
        type: 'bind',
        source: '/host/e',
        target: '/e',
        read_only: true,
        create_host_path: false,
        propagation: 'shared',
      },
      { type: 'tmpfs', target: '/f', size: 10, mode: 0o1777 },
      { type: 'tmpfs', target: '/g', size: 20, mode: 0o700, options: ['noexec'] },
    ])
  })
})

describe('labels', () => {
  it('are read back as they were written, and are never an author’s', () => {
    const leaf = leafOf('web')
    const image = {
      id: 'sha256:1',
      digests: [],
      environment: {},
      command: [],
      entrypoint: [],
      user: '',
      working_dir: '',
      labels: {},
      expose: [],
      volumes: [],
      stop_signal: '',
      healthcheck: null,
    }
    const tree = treeOf('shop', [leaf])
    const labels = containerLabels({
      name: 'x',
      tree,
      leaf,
      image,
      imageReference: '',
      runDigest: 'run',
      joins: new Map(),
    })
    expect(readContainerLabels(labels)).toEqual({
      deployment: 'shop',
      leaf: 'web',
      kind: 'container',
      generation: 7,
      digest: 'run',
      commit: 'c'.repeat(40),
      restart: 'always',
      image: leaf.spec.image,
      imageId: 'sha256:1',
      files: '',
    })
    expect(read({}, { Labels: { ...labels, own: 'x' } }).labels).toEqual({ own: 'x' })
  })

  it('of others are not graft’s', () => {
    expect(readContainerLabels({ 'com.docker.compose.project': 'x' })).toBeNull()
    expect(readResourceLabels(null)).toMatchObject({ deployment: null, kind: null, optionsDigest: null })
    expect(readResourceLabels(volumeLabels('shop', volumeWish('shop', 'data')))).toMatchObject({
      deployment: 'shop',
      kind: 'volume',
    })
  })
})
