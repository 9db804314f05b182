// The example is the deployment that graft was conceived for: all sets and containers of the specification, with the
// privileges that they need and no others.

import { existsSync, readFileSync } from 'node:fs'
import { dirname, join, relative, resolve } from 'node:path'
import { describe, expect, test } from 'vitest'
import type { ContainerSet, Leaf } from '../../src/desired/tree.ts'
import { folder, paths, project, readExampleRepo as read, result } from './example-repo.ts'

const yamlFiles = paths.filter((path) => path.endsWith('.yaml'))

function leaf(name: string): Leaf {
  const found = read().leaves.get(name)
  if (found === undefined) throw new Error(`no leaf ${name}`)
  return found
}

/** Every set below, with the containers of the specification that lie in it. */
const specification: Record<string, string[]> = {
  'database-control': ['galera', 'mariadb', 'mongodb'],
  'messaging-control': ['rabbitmq'],
  'high-availability-control': ['haproxy', 'keepalived'],
  'openstack-interface': ['keystone', 'glance-api', 'nova-api', 'ceilometer-api', 'heat-api'],
  'openstack-control': [],
  'openstack-control/glance-controller': ['glance-registry'],
  'openstack-control/nova-controller': ['nova-conductor', 'nova-scheduler', 'metadata-service'],
  'openstack-control/cinder-controller': [],
  'openstack-control/neutron-controller': ['neutron-server'],
  'openstack-control/ceilometer-controller': [
    'ceilometer-alarm',
    'ceilometer-base',
    'ceilometer-central',
    'ceilometer-collector',
    'ceilometer-notification',
  ],
  'openstack-control/heat-controller': ['heat-engine'],
  'openstack-compute-operation': ['nova-compute', 'nova-libvirt'],
  'openstack-compute-operation/neutron-agents-linux-bridge': [],
  'openstack-compute-operation/neutron-agents-ovs': [],
  'openstack-network-operation': ['dhcp-agent', 'l3-agent', 'metadata-agent', 'lbaas-agent', 'fwaas-agent'],
  'openstack-storage-operation': [],
  'openstack-storage-operation/cinder': [],
  'openstack-storage-operation/swift': [
    'swift-account',
    'swift-base',
    'swift-container',
    'swift-object',
    'swift-proxy-server',
  ],
}

describe('example-repo', () => {
  test('reads without a problem', () => {
    expect(result.problems).toEqual([])
  })

  test('has the eight top-level sets, and every set and container of the specification', () => {
    const sets = flatten(read().root).filter((set) => set.path !== '')
    expect(sets.map((set) => set.path).toSorted()).toEqual(Object.keys(specification).toSorted())
    expect(sets.filter((set) => !set.path.includes('/'))).toHaveLength(8)
    for (const [path, names] of Object.entries(specification)) {
      expect(sets.find((set) => set.path === path)?.leaves ?? []).toEqual(expect.arrayContaining(names))
    }
  })

  test('describes every set, and leaves none empty', () => {
    for (const set of flatten(read().root)) {
      expect(set.description, set.path).not.toBe('')
      expect(set.leaves.length + set.sets.length, set.path).toBeGreaterThan(0)
    }
  })

  test('names every leaf once', () => {
    const names = yamlFiles.map((path) => path.split('/').at(-1)).filter((name) => name !== 'set.yaml')
    expect(new Set(names).size).toBe(names.length)
    expect(read().leaves.size).toBe(names.length - 1) // without deployment.yaml
  })

  test('every YAML file names its schema on its first line', () => {
    for (const path of yamlFiles) {
      const kind = path === 'deployment.yaml' ? 'deployment' : path.endsWith('set.yaml') ? 'set' : 'container'
      const [first] = readFileSync(join(folder, path), 'utf8').split('\n')
      const schema = /^# yaml-language-server: \$schema=(\.\.\/.*)$/.exec(first ?? '')?.[1] ?? ''
      const target = relative(project, resolve(folder, dirname(path), schema))
      expect(target, path).toBe(`schemas/${kind}.schema.json`)
      expect(existsSync(join(project, target)), target).toBe(true)
    }
  })

  test('every file that is no YAML is mounted by a leaf', () => {
    const texts = new Map(yamlFiles.map((path) => [path, readFileSync(join(folder, path), 'utf8')]))
    for (const path of paths.filter((other) => !other.endsWith('.yaml') && other !== 'README.md')) {
      const mounts = [...texts].some(([file, text]) => text.includes(`./${relative(dirname(file), path)}`))
      expect(mounts, path).toBe(true)
    }
  })

  test('every container has a check, and waits for the migrations beside it', () => {
    for (const { name, kind, spec, probe, set } of read().leaves.values()) {
      const command = spec.healthcheck !== undefined && 'test' in spec.healthcheck
      expect(command || probe !== null, name).toBe(kind === 'container')
      const migration = read().leaves.get(`${name}-db-sync`)
      if (kind === 'container' && migration?.set === set) expect(waitsFor(name), name).toContain(migration.name)
    }
    expect(waitsFor('nova-conductor')).toContain('nova-db-sync')
    expect(waitsFor('nova-compute')).toEqual(expect.arrayContaining(['galera', 'rabbitmq', 'keystone', 'nova-libvirt']))
  })

  test('the APIs can start before the old one stops', () => {
    const apis = ['keystone', 'glance-api', 'nova-api', 'ceilometer-api', 'heat-api', 'neutron-server']
    for (const name of apis) {
      const { spec } = leaf(name)
      expect(spec.network_mode, name).toBeUndefined()
      expect(spec.ports, name).toEqual([])
      expect(
        spec.mounts.filter((mount) => mount.type !== 'tmpfs' && !mount.read_only),
        name,
      ).toEqual([])
    }
  })

  test('asks for exactly these privileges', () => {
    const asked = Object.fromEntries(
      [...read().leaves.values()]
        .map((one) => [one.name, privileges(one)] as const)
        .filter(([, list]) => list.length > 0)
        .toSorted(),
    )
    const agent = ['privileged', 'network host']
    const namespaces = ['privileged', 'network host', 'pid host', 'cgroup host', '/run/netns:shared']
    const hypervisor = ['privileged', 'network host', '/dev', '/lib/modules:ro', '/run:shared']
    const storage = [...hypervisor, 'ipc host']
    const routing = [...namespaces, '/lib/modules:ro', '/run/openvswitch:shared']
    expect(sorted(asked)).toEqual(
      sorted({
        haproxy: ['network host', 'cap NET_ADMIN', 'cap NET_BIND_SERVICE'],
        keepalived: ['network host', 'cap NET_ADMIN', 'cap NET_BIND_SERVICE', '/lib/modules:ro'],
        'nova-libvirt': [...hypervisor, 'pid host', 'cgroup host', '/sys/fs/cgroup'],
        'nova-compute': [...hypervisor, 'ipc host'],
        'neutron-linuxbridge-agent': [...agent, '/lib/modules:ro'],
        'openvswitch-db-server': ['network host', '/lib/modules:ro', '/run/openvswitch:shared'],
        'openvswitch-vswitchd': [...agent, 'pid host', '/lib/modules:ro', '/run/openvswitch:shared'],
        'neutron-openvswitch-agent': [...agent, '/lib/modules:ro', '/run/openvswitch:shared'],
        'dhcp-agent': [...namespaces, '/run/openvswitch:shared'],
        'l3-agent': routing,
        'fwaas-agent': routing,
        'metadata-agent': agent,
        'lbaas-agent': ['network host'],
        'lbaas-db-sync': ['network host'],
        'cinder-volume': storage,
        'cinder-backup': storage,
      }),
    )
  })
})

function flatten(set: ContainerSet): ContainerSet[] {
  return [set, ...set.sets.flatMap(flatten)]
}

/** All that must be there before it, near and far. */
function waitsFor(name: string, seen = new Set<string>()): string[] {
  for (const other of leaf(name).dependencies.keys()) {
    if (!seen.has(other)) waitsFor(other, seen.add(other))
  }
  return [...seen]
}

function privileges({ spec }: Leaf): string[] {
  const hostNamespace = (kind: string, value: string | undefined): string[] =>
    value === 'host' ? [`${kind} host`] : []
  return [
    ...(spec.privileged ? ['privileged'] : []),
    ...hostNamespace('network', spec.network_mode),
    ...hostNamespace('pid', spec.pid),
    ...hostNamespace('ipc', spec.ipc),
    ...hostNamespace('cgroup', spec.cgroup),
    ...hostNamespace('uts', spec.uts),
    ...hostNamespace('userns', spec.userns_mode),
    ...spec.cap_add.map((capability) => `cap ${capability}`),
    ...spec.security_opt,
    ...spec.devices.map((device) => device.source),
    ...spec.mounts.flatMap((mount) =>
      mount.type === 'bind'
        ? [`${mount.source}${mount.propagation ? `:${mount.propagation}` : ''}${mount.read_only ? ':ro' : ''}`]
        : [],
    ),
  ]
}

function sorted(asked: Record<string, string[]>): Record<string, string[]> {
  return Object.fromEntries(Object.entries(asked).map(([name, list]) => [name, list.toSorted()]))
}
