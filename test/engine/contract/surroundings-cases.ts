// Field cases: what a container has around it: networks and mounts.

import type { FieldCase } from './field-case.ts'

const MB = 1024 * 1024

export const SURROUNDINGS_CASES = {
  expose: [
    {
      set: { expose: ['81/tcp', '82/udp'] },
      changes: ['expose'],
      reaches: { 'Config.ExposedPorts': { '81/tcp': {}, '82/udp': {} } },
    },
  ],
  ports: [
    {
      about: 'any port of the host',
      set: { ports: [{ target: 80, published: 0, protocol: 'tcp', mode: 'host' }] },
      changes: ['ports.80/tcp'],
      reaches: { 'Config.ExposedPorts': { '80/tcp': {} }, 'HostConfig.PortBindings~': { '80/tcp': [{}] } },
    },
    {
      about: 'address, protocol, two for one',
      set: {
        ports: [
          { target: 53, published: 35353, protocol: 'udp', host_ip: '127.0.0.1', mode: 'host' },
          { target: 53, published: 35354, protocol: 'udp', host_ip: '127.0.0.1', mode: 'host' },
        ],
      },
      changes: ['ports.53/udp'],
      reaches: {
        'HostConfig.PortBindings': {
          '53/udp': [
            { HostIp: '127.0.0.1', HostPort: '35353' },
            { HostIp: '127.0.0.1', HostPort: '35354' },
          ],
        },
      },
    },
    {
      about: 'of the ingress',
      set: { ports: [{ target: 80, published: 8080, protocol: 'tcp', mode: 'ingress' }] },
      changes: ['ports.80/tcp'],
      reaches: { 'HostConfig.PortBindings': {} },
    },
    {
      about: 'of the ingress, in the place of one of the host',
      base: { ports: [{ target: 80, published: 8080, protocol: 'tcp', mode: 'host' }] },
      set: { ports: [{ target: 80, published: 8080, protocol: 'tcp', mode: 'ingress' }] },
      changes: ['ports.80/tcp'],
      reaches: { 'HostConfig.PortBindings': {} },
    },
    {
      about: 'of the ingress, with all that can be said of it',
      base: { ports: [{ target: 80, published: 8080, protocol: 'tcp', mode: 'ingress' }] },
      set: {
        ports: [
          { target: 80, published: 8080, protocol: 'tcp', host_ip: '::1', mode: 'ingress', http: true },
          { target: 81, published: 8081, protocol: 'tcp', mode: 'ingress', proxy_protocol: true },
        ],
      },
      changes: ['ports.80/tcp', 'ports.81/tcp'],
      reaches: { 'HostConfig.PortBindings': {} },
    },
  ],
  networks: [
    {
      about: 'an alias',
      set: { networks: { default: { aliases: ['alpha', 'beta'] } } },
      changes: ['networks.default.aliases'],
      reaches: { 'NetworkSettings.Networks.DEPLOYMENT_default.Aliases~': ['alpha', 'beta'] },
    },
    {
      about: 'a second one',
      set: { networks: { default: { aliases: [] }, backend: { aliases: ['gamma'] } } },
      changes: ['networks.backend'],
      reaches: { 'NetworkSettings.Networks.DEPLOYMENT_backend.Aliases~': ['gamma'] },
    },
    {
      about: 'a fixed address',
      base: { networks: { fixed: { aliases: [] } } },
      set: { networks: { fixed: { aliases: [], ipv4_address: '10.231.77.9' } } },
      changes: ['networks.fixed.ipv4_address'],
      reaches: { 'NetworkSettings.Networks.DEPLOYMENT_fixed.IPAMConfig.IPv4Address': '10.231.77.9' },
    },
    {
      about: 'a MAC address',
      set: { networks: { default: { aliases: [], mac_address: '02:42:ac:11:aa:01' } } },
      changes: ['networks.default.mac_address'],
      removalUnseen: true,
      reaches: {},
    },
  ],
  network_mode: [
    {
      about: 'host',
      set: { network_mode: 'host', networks: {} },
      changes: ['network_mode'],
      reaches: { 'HostConfig.NetworkMode': 'host' },
    },
    {
      about: 'none',
      set: { network_mode: 'none', networks: {} },
      changes: ['network_mode'],
      reaches: { 'HostConfig.NetworkMode': 'none' },
    },
    {
      about: 'of another leaf',
      set: { network_mode: 'service:peer', networks: {} },
      changes: ['network_mode'],
      reaches: { 'HostConfig.NetworkMode': 'container:PEER' },
    },
  ],
  mac_address: [
    {
      set: { mac_address: '02:42:ac:11:aa:02' },
      changes: ['networks.default.mac_address'],
      removalUnseen: true,
      reaches: {},
    },
  ],
  extra_hosts: [
    {
      set: { extra_hosts: ['db:10.0.0.9'] },
      changes: ['extra_hosts'],
      reaches: { 'HostConfig.ExtraHosts': ['db:10.0.0.9'] },
    },
  ],
  dns: [
    {
      set: { dns: ['10.0.0.1', '10.0.0.2'] },
      changes: ['dns'],
      reaches: { 'HostConfig.Dns': ['10.0.0.1', '10.0.0.2'] },
    },
  ],
  dns_search: [
    {
      set: { dns_search: ['example.org'] },
      changes: ['dns_search'],
      reaches: { 'HostConfig.DnsSearch': ['example.org'] },
    },
  ],
  dns_opt: [{ set: { dns_opt: ['ndots:2'] }, changes: ['dns_opt'], reaches: { 'HostConfig.DnsOptions': ['ndots:2'] } }],
  mounts: [
    {
      about: 'volume',
      set: { mounts: [{ type: 'volume', source: 'data', target: '/data', read_only: false }] },
      changes: ['volumes./data'],
      reaches: { 'Mounts.0.Name': 'DEPLOYMENT_data', 'Mounts.0.Destination': '/data', 'Mounts.0.RW': true },
    },
    {
      about: 'volume, read-only, without copy',
      set: { mounts: [{ type: 'volume', source: 'data', target: '/data', read_only: true, nocopy: true }] },
      changes: ['volumes./data'],
      reaches: { 'Mounts.0.RW': false, 'HostConfig.Mounts.0.VolumeOptions~': { NoCopy: true } },
    },
    {
      about: 'folder of a volume',
      set: { mounts: [{ type: 'volume', source: 'data', target: '/data', read_only: false, subpath: 'part' }] },
      changes: ['volumes./data'],
      neverStarted: true,
      api: '1.45',
      reaches: { 'HostConfig.Mounts.0.VolumeOptions~': { Subpath: 'part' } },
    },
    {
      about: 'bind of a folder that is there',
      set: { mounts: [{ type: 'bind', source: '/etc', target: '/host', read_only: true, create_host_path: false }] },
      changes: ['volumes./host'],
      reaches: { 'Mounts.0.Source': '/etc', 'Mounts.0.RW': false, 'Mounts.0.Type': 'bind' },
    },
    {
      about: 'bind with propagation',
      set: {
        mounts: [
          {
            type: 'bind',
            source: '/etc',
            target: '/host',
            read_only: false,
            propagation: 'rslave',
            create_host_path: false,
          },
        ],
      },
      changes: ['volumes./host'],
      reaches: { 'Mounts.0.Propagation': 'rslave' },
    },
    {
      about: 'bind that makes its folder and is relabelled',
      set: {
        mounts: [
          {
            type: 'bind',
            source: '/var/tmp/graft-test-made',
            target: '/host',
            read_only: true,
            create_host_path: true,
            selinux: 'z',
          },
        ],
      },
      changes: ['volumes./host'],
      reaches: { 'HostConfig.Binds': ['/var/tmp/graft-test-made:/host:ro,z'], 'Mounts.0.RW': false },
    },
    {
      about: 'tmpfs',
      set: { mounts: [{ type: 'tmpfs', target: '/scratch', size: 4 * MB, mode: 0o1770, options: ['uid=5'] }] },
      changes: ['volumes./scratch'],
      reaches: { 'HostConfig.Tmpfs': { '/scratch': `size=${4 * MB},mode=1770,uid=5` } },
    },
  ],
} satisfies Readonly<Record<string, readonly FieldCase[]>>
