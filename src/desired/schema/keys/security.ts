// Privileges, namespaces, devices.

import * as z from 'zod'
import { refused, served } from '../service-key.ts'
import { scalar } from '../scalar.ts'
import { sortedSet } from '../shapes.ts'
import { cut } from '../show.ts'
import { boolean, choice, text } from '../texts.ts'
import { devices, gpus } from './devices.ts'
import { namespace } from './network.ts'

const capability = text({
  expected: 'a capability',
  example: 'NET_ADMIN',
  pattern: '^[A-Za-z_]+$',
  canonical: (found) => found.toUpperCase().replace(/^CAP_/, ''),
})

/** Separators are the engine's `=`; a seccomp profile that is a file cannot be read where there is no checkout. */
const securityOption = scalar<string>({
  types: ['string'],
  expected: 'a security option, as NAME or NAME=VALUE',
  example: 'no-new-privileges=true',
  json: { type: 'string', minLength: 1 },
  readsSymbols: true,
  read: (value) => {
    const found = String(value)
    if (found === '') return null
    if (found === 'no-new-privileges') return { value: 'no-new-privileges=true' }
    const option = found.includes('=') ? found : found.replace(':', '=')
    const profile = /^seccomp=(.*)$/s.exec(option)?.[1]
    if (profile !== undefined && /[/.]/.test(profile) && !profile.startsWith('{')) {
      return {
        mistake: `the seccomp profile ${cut(profile)} is a file, and profiles are not read from files`,
        remedy: "write the profile itself as JSON after seccomp=, or leave the option out for the engine's profile",
      }
    }
    return { value: option }
  },
})

const group = scalar<string>({
  types: ['string', 'number'],
  expected: 'a group, by name or number',
  example: '"1000"',
  json: { type: ['string', 'integer'], minimum: 0, pattern: '^[^ ]+$' },
  read: (value) => {
    const right = typeof value === 'number' ? Number.isSafeInteger(value) && value >= 0 : /^\S+$/.test(String(value))
    return right ? { value: String(value) } : null
  },
})

const CONTAINER_ADVICE = 'write service:LEAF to share the namespace of a leaf'

export const securityKeys = {
  privileged: served('Whether the container has all privileges of the host', boolean(), true),
  read_only: served("Whether the container's own file system is read-only", boolean(), true),
  cap_add: served('Capabilities besides the usual ones', z.array(capability).transform(sortedSet), ['NET_ADMIN']),
  cap_drop: served('Capabilities to take away', z.array(capability).transform(sortedSet), ['ALL']),
  security_opt: served('Options of the security modules', z.array(securityOption).transform(sortedSet), [
    'no-new-privileges:true',
  ]),
  group_add: served('Further groups of the user', z.array(group).transform(sortedSet), ['audio', 1000]),
  devices: served('Devices of the host', devices, ['/dev/kvm', '/dev/sdb:/dev/data:rw']),
  device_cgroup_rules: served(
    'Rules for devices that may appear later',
    z
      .array(
        text({
          expected: 'a device rule',
          example: 'c 1:3 rwm',
          pattern: '^[acb] ([0-9]+|\\*):([0-9]+|\\*) [rwm]{1,3}$',
        }),
      )
      .transform(sortedSet),
    ['c 1:3 mr'],
  ),
  gpus: served('Graphics processors', gpus, 'all', [{ driver: 'nvidia', count: 1 }]),
  ipc: served(
    'The IPC namespace',
    namespace(['host', 'private', 'shareable', 'none'], { 'container:': CONTAINER_ADVICE }),
    'host',
  ),
  pid: served(
    'The process namespace',
    z.union([z.null().transform(() => undefined), namespace(['host'], { 'container:': CONTAINER_ADVICE })]),
    'host',
  ),
  uts: served('The UTS namespace (host name)', choice(['host']), 'host'),
  userns_mode: served('The user namespace', choice(['host']), 'host'),
  cgroup: served('The cgroup namespace', choice(['host', 'private']), 'private'),
  cgroup_parent: served('The cgroup to put the container below', text(), 'openstack.slice'),
  runtime: served('The OCI runtime', text(), 'runc'),
  credential_spec: refused('leave it out: credential specs exist on Windows only'),
  isolation: refused('leave it out: isolation modes exist on Windows only'),
  use_api_socket: refused("mount the engine's socket under volumes, if the host's policy allows it"),
}
