// What a new container may do that the old one could not, from the fields that differ.

import type { FieldChange } from './verdict.ts'

const POWERFUL = new Set([
  'privileged',
  'cap_add',
  'security_opt',
  'devices',
  'device_cgroup_rules',
  'pid',
  'ipc',
  'uts',
  'userns_mode',
  'cgroup',
  'network_mode',
  'sysctls',
  'gpus',
  'runtime',
  'annotations',
  'cgroup_parent',
  'group_add',
])

/** Clauses such as `privileged`, `pid: host`, `bind /run`; empty where nothing is gained. */
export function gainsOf(changes: readonly FieldChange[]): string[] {
  const gains: string[] = []
  for (const { field, from, to } of changes) {
    if (to === null) continue
    const [key = ''] = field.split('.')
    if (key === 'privileged') {
      if (to === 'true') gains.push('privileged')
    } else if (key === 'read_only') {
      if (to === 'false') gains.push('a writable root file system')
    } else if (key === 'cap_drop') {
      continue
    } else if (POWERFUL.has(key)) {
      gains.push(`${field}: ${to}`)
    } else if (key === 'volumes' && to.startsWith('bind')) {
      gains.push(from === null ? to : `${to} (was ${from})`)
    }
  }
  return gains
}
