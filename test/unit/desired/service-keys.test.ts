// Every service key of the Compose Specification is served or refused by name, with words that help.

import { describe, expect, it } from 'vitest'
import { parseLeaf } from '../../../src/desired/schema/leaf.ts'
import { leafKeys } from '../../../src/desired/schema/service-keys.ts'

/** Properties of `service` in the Compose Specification's schema. */
const COMPOSE_KEYS = `
  annotations attach blkio_config build cap_add cap_drop cgroup cgroup_parent command configs container_name cpu_count
  cpu_percent cpu_period cpu_quota cpu_rt_period cpu_rt_runtime cpu_shares cpus cpuset credential_spec depends_on deploy
  develop device_cgroup_rules devices dns dns_opt dns_search domainname entrypoint env_file environment expose extends
  external_links extra_hosts gpus group_add healthcheck hostname image init ipc isolation label_file labels links logging
  mac_address mem_limit mem_reservation mem_swappiness memswap_limit models network_mode networks oom_kill_disable
  oom_score_adj pid pids_limit platform ports post_start pre_stop privileged profiles provider pull_policy
  pull_refresh_after read_only restart runtime scale secrets security_opt shm_size stdin_open stop_grace_period stop_signal
  storage_opt sysctls tmpfs tty ulimits use_api_socket user userns_mode uts volumes volumes_from working_dir
`
  .trim()
  .split(/\s+/)

const SERVED = `
  image command entrypoint environment env_file user working_dir hostname domainname networks network_mode ports volumes
  tmpfs healthcheck restart init privileged cap_add cap_drop security_opt devices device_cgroup_rules group_add ipc pid uts
  userns_mode cgroup cgroup_parent sysctls ulimits read_only shm_size stop_signal stop_grace_period mem_limit
  mem_reservation memswap_limit cpus cpu_shares cpuset pids_limit oom_score_adj oom_kill_disable logging labels annotations
  extra_hosts dns dns_search dns_opt mac_address runtime platform pull_policy depends_on gpus tty stdin_open expose
  secrets
`
  .trim()
  .split(/\s+/)

const OWN_KEYS = ['kind', 'generation', 'files', 'update', 'image_policy', 'on_unhealthy', 'prune', 'renamed_from']
const CONTEXT = { symbolic: false, ingress: false, leafName: 'web' }
const LEAF = { generation: 1, image: 'nginx:1.27' }

describe('the table of service keys', () => {
  it('holds the 92 keys of the Compose Specification and graft’s own, and no other', () => {
    expect(COMPOSE_KEYS).toHaveLength(92)
    expect([...leafKeys.keys()].sort()).toEqual([...COMPOSE_KEYS, ...OWN_KEYS].sort())
  })

  it.each([...COMPOSE_KEYS])('%s is served or refused as it should be', (name) => {
    expect(leafKeys.get(name)?.served).toBe(SERVED.includes(name))
  })

  it.each([...leafKeys].flatMap(([name, key]) => (key.served ? [{ name, key }] : [])))(
    '$name has a description and right examples',
    ({ name, key }) => {
      expect(key.description.length).toBeGreaterThan(10)
      for (const example of key.examples) {
        const { issues } = parseLeaf({ ...LEAF, [name]: example }, { ...CONTEXT, leafName: 'other' })
        const ofThisKey = issues.filter((issue) => issue.path[0] === name && !issue.message.includes('needs mem_limit'))
        expect(ofThisKey).toEqual([])
      }
    },
  )

  it.each([...leafKeys].flatMap(([name, key]) => (key.served ? [] : [{ name, key }])))(
    '$name is refused by name, with advice',
    ({ name, key }) => {
      const { parts, issues } = parseLeaf({ ...LEAF, [name]: 'x' }, CONTEXT)
      expect(parts).toBeNull()
      expect(issues).toEqual([
        { path: [name], at: 'key', message: `the key ${name} is not served`, remedy: key.advice },
      ])
      expect(key.advice).toMatch(/^.{10,}[^.]$/s)
    },
  )

  it('takes extension keys everywhere and ignores them', () => {
    const plain = parseLeaf({ ...LEAF, ports: [{ target: 80 }] }, CONTEXT)
    const extended = parseLeaf({ ...LEAF, 'x-note': { a: [1] }, ports: [{ target: 80, 'x-why': 'so' }] }, CONTEXT)
    expect(extended.issues).toEqual([])
    expect(extended.parts).toEqual(plain.parts)
  })
})
