// Field cases: privileges and namespaces.

import type { FieldCase } from './field-case.ts'

export const PRIVILEGE_CASES = {
  read_only: [{ set: { read_only: true }, changes: ['read_only'], reaches: { 'HostConfig.ReadonlyRootfs': true } }],
  privileged: [
    {
      set: { privileged: true },
      changes: ['privileged'],
      machineMayRefuse: /unable to apply caps/,
      reaches: { 'HostConfig.Privileged': true },
    },
  ],
  cap_add: [
    { set: { cap_add: ['NET_ADMIN'] }, changes: ['cap_add'], reaches: { 'HostConfig.CapAdd~': [/NET_ADMIN$/] } },
  ],
  cap_drop: [{ set: { cap_drop: ['MKNOD'] }, changes: ['cap_drop'], reaches: { 'HostConfig.CapDrop~': [/MKNOD$/] } }],
  security_opt: [
    {
      set: { security_opt: ['no-new-privileges:true'] },
      changes: ['security_opt'],
      reaches: { 'HostConfig.SecurityOpt': ['no-new-privileges:true'] },
    },
  ],
  devices: [
    {
      set: { devices: [{ source: '/dev/null', target: '/dev/void', permissions: 'rw' }] },
      changes: ['devices./dev/void'],
      reaches: {
        'HostConfig.Devices': [{ PathOnHost: '/dev/null', PathInContainer: '/dev/void', CgroupPermissions: 'rw' }],
      },
    },
  ],
  device_cgroup_rules: [
    {
      set: { device_cgroup_rules: ['c 1:3 mr'] },
      changes: ['device_cgroup_rules'],
      reaches: { 'HostConfig.DeviceCgroupRules': ['c 1:3 mr'] },
    },
  ],
  gpus: [
    {
      set: { gpus: [{ driver: 'nvidia', count: -1, capabilities: [['gpu']], options: { a: 'b' } }] },
      changes: ['gpus.0'],
      neverStarted: true,
      reaches: {
        'HostConfig.DeviceRequests.0~': { Driver: 'nvidia', Count: -1, Capabilities: [['gpu']], Options: { a: 'b' } },
      },
    },
  ],
  group_add: [{ set: { group_add: ['1234'] }, changes: ['group_add'], reaches: { 'HostConfig.GroupAdd': ['1234'] } }],
  ipc: [
    { about: 'host', set: { ipc: 'host' }, changes: ['ipc'], reaches: { 'HostConfig.IpcMode': 'host' } },
    { about: 'shareable', set: { ipc: 'shareable' }, changes: ['ipc'], reaches: { 'HostConfig.IpcMode': 'shareable' } },
    {
      about: 'of another leaf',
      set: { ipc: 'service:peer' },
      changes: ['ipc'],
      reaches: { 'HostConfig.IpcMode': 'container:PEER' },
    },
  ],
  pid: [
    { about: 'host', set: { pid: 'host' }, changes: ['pid'], reaches: { 'HostConfig.PidMode': 'host' } },
    {
      about: 'of another leaf',
      set: { pid: 'service:peer' },
      changes: ['pid'],
      reaches: { 'HostConfig.PidMode': 'container:PEER' },
    },
  ],
  uts: [{ set: { uts: 'host' }, changes: ['uts'], reaches: { 'HostConfig.UTSMode': 'host' } }],
  userns_mode: [
    { set: { userns_mode: 'host' }, changes: ['userns_mode'], reaches: { 'HostConfig.UsernsMode': 'host' } },
  ],
  cgroup: [
    {
      about: 'other than the default',
      base: { cgroup: 'host' },
      set: { cgroup: 'private' },
      changes: ['cgroup'],
      reaches: { 'HostConfig.CgroupnsMode': 'private' },
    },
  ],
  cgroup_parent: [
    {
      set: { cgroup_parent: '/graft-test' },
      changes: ['cgroup_parent'],
      reaches: { 'HostConfig.CgroupParent': '/graft-test' },
    },
  ],
  sysctls: [
    {
      set: { sysctls: { 'net.ipv4.ip_unprivileged_port_start': '0' } },
      changes: ['sysctls.net.ipv4.ip_unprivileged_port_start'],
      reaches: { 'HostConfig.Sysctls~': { 'net.ipv4.ip_unprivileged_port_start': '0' } },
    },
  ],
  runtime: [
    {
      about: 'the default said aloud',
      set: { runtime: 'runc' },
      changes: [],
      reaches: { 'HostConfig.Runtime': 'runc' },
    },
  ],
} satisfies Readonly<Record<string, readonly FieldCase[]>>
