// The limits in force on an inspected container, in a spec's units; what the engine fills in by itself is left out.

import type { Spec } from '../desired/spec.ts'
import type { WireHostConfig } from './wire.ts'

type Limits = Pick<
  Spec,
  | 'mem_limit'
  | 'mem_reservation'
  | 'memswap_limit'
  | 'cpus'
  | 'cpu_shares'
  | 'cpuset'
  | 'pids_limit'
  | 'oom_score_adj'
  | 'oom_kill_disable'
  | 'shm_size'
  | 'ulimits'
>

const NANO = 1e9
/** Microseconds; the kernel's default and the engine's. */
const CPU_PERIOD = 100_000

export function runningLimits(host: WireHostConfig): Limits {
  const limits: Limits = {
    ulimits: Object.fromEntries((host.Ulimits ?? []).map(({ Name, Soft, Hard }) => [Name, { soft: Soft, hard: Hard }])),
  }
  if (host.Memory) limits.mem_limit = host.Memory
  if (host.MemoryReservation) limits.mem_reservation = host.MemoryReservation
  if (host.MemorySwap) limits.memswap_limit = host.MemorySwap
  const cpus = cores(host)
  if (cpus !== undefined) limits.cpus = cpus
  if (host.CpuShares) limits.cpu_shares = host.CpuShares
  if (host.CpusetCpus) limits.cpuset = host.CpusetCpus
  if (host.PidsLimit) limits.pids_limit = host.PidsLimit
  if (host.OomScoreAdj) limits.oom_score_adj = host.OomScoreAdj
  if (host.OomKillDisable) limits.oom_kill_disable = true
  if (host.ShmSize) limits.shm_size = host.ShmSize
  return limits
}

/** Older clients' `docker update` sets a quota and a period where newer ones set NanoCpus. */
function cores(host: WireHostConfig): number | undefined {
  if (host.NanoCpus) return host.NanoCpus / NANO
  if (host.CpuQuota && host.CpuQuota > 0) return host.CpuQuota / (host.CpuPeriod || CPU_PERIOD)
  return undefined
}
