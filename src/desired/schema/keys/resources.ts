// Limits on memory, processors and processes.

import * as z from 'zod'
import { nearest } from '../../nearest.ts'
import { decimal, integer } from '../numbers.ts'
import { bytes, zeroIsAbsent } from '../quantities.ts'
import { report } from '../scalar.ts'
import { refused, served } from '../service-key.ts'
import { mapping, record } from '../shapes.ts'
import { cut } from '../show.ts'
import { boolean, text } from '../texts.ts'

/** The least memory that the engine accepts as a limit (Engine API, "Minimum memory limit allowed is 6MB"). */
const LEAST_MEMORY = 6 * 1024 ** 2

/** Names that the engine knows (go-units, ulimit.go). */
const ULIMITS = 'core cpu data fsize locks memlock msgqueue nice nofile nproc rss rtprio rttime sigpending stack'.split(
  ' ',
)

const limit = () => integer({ min: -1, example: '65536' })

const range = z
  .union([
    limit().transform((both) => ({ soft: both, hard: both })),
    mapping({ soft: limit(), hard: limit() }).transform(({ soft, hard }) => ({ soft, hard })),
  ])
  .transform(({ soft, hard }, context) => {
    if (typeof soft === 'number' && typeof hard === 'number' && hard !== -1 && (soft === -1 || soft > hard)) {
      report(context, {
        mistake: `the soft limit ${soft} is above the hard limit ${hard}`,
        remedy: `write soft: ${hard}`,
      })
    }
    return { soft, hard }
  })

const ulimits = record(range, (name) => {
  if (ULIMITS.includes(name)) return null
  const meant = nearest(name, ULIMITS)
  const remedy = meant === null ? `known limits are ${ULIMITS.join(', ')}` : `write ${meant}`
  return { mistake: `unknown limit ${cut(name)}`, remedy }
})

const QUOTA_ADVICE = 'use cpus, a number of cores such as 1.5'

export const resourceKeys = {
  mem_limit: served('The most memory', zeroIsAbsent(bytes({ min: LEAST_MEMORY })), '512m'),
  mem_reservation: served(
    'Memory to keep when the host runs short',
    zeroIsAbsent(bytes({ min: LEAST_MEMORY })),
    '256m',
  ),
  memswap_limit: served(
    'The most memory and swap together; -1: swap without limit',
    zeroIsAbsent(bytes({ unlimited: true })),
    '1g',
  ),
  shm_size: served('Size of /dev/shm', zeroIsAbsent(bytes()), '64m'),
  cpus: served(
    'The most processor time, in cores',
    zeroIsAbsent(decimal({ min: 0, least: 0.01, example: '1.5' })),
    1.5,
  ),
  cpu_shares: served('Weight against other containers', zeroIsAbsent(integer({ min: 0, example: '1024' })), 1024),
  cpuset: served(
    'Which processors may be used',
    text({
      expected: 'a list of processors',
      example: '0-3 or 0,2',
      pattern: '^[0-9]+(-[0-9]+)?(,[0-9]+(-[0-9]+)?)*$',
    }),
    '0-3',
  ),
  pids_limit: served(
    'The most processes; -1: no limit',
    integer({ min: -1, example: '100' }).transform((count) => (count === 0 ? -1 : count)),
    100,
  ),
  oom_score_adj: served(
    'How soon the kernel ends the container when memory runs out',
    integer({ min: -1000, max: 1000, example: '-500' }),
    -500,
  ),
  oom_kill_disable: served('Whether the kernel spares the container when memory runs out', boolean(), false),
  ulimits: served("Limits of the container's processes; -1: none", ulimits, {
    nofile: { soft: 20000, hard: 40000 },
    nproc: 65535,
  }),
  cpu_count: refused(QUOTA_ADVICE),
  cpu_percent: refused(QUOTA_ADVICE),
  cpu_quota: refused(QUOTA_ADVICE),
  cpu_period: refused(QUOTA_ADVICE),
  cpu_rt_period: refused('leave it out: real-time scheduling of containers is not served'),
  cpu_rt_runtime: refused('leave it out: real-time scheduling of containers is not served'),
  mem_swappiness: refused('use memswap_limit: engines on cgroup 2 ignore mem_swappiness'),
  blkio_config: refused('leave it out: limits on block devices are not served'),
  deploy: refused('use mem_limit, cpus, restart and update on the leaf; each leaf is one container'),
  scale: refused('write one leaf for each container'),
}
