// The limits of a spec in the engine's units, at creation and on a container that exists
// (Engine API 1.41, Resources and ContainerUpdate).

import type { Spec } from '../desired/spec.ts'
import type { WireHostConfig } from './wire.ts'

const NANO = 1e9

/** Every limit that the spec sets. */
export function limitOptions(spec: Spec): WireHostConfig {
  return {
    ...(spec.mem_limit === undefined ? {} : { Memory: spec.mem_limit }),
    ...(spec.mem_reservation === undefined ? {} : { MemoryReservation: spec.mem_reservation }),
    ...(spec.memswap_limit === undefined ? {} : { MemorySwap: spec.memswap_limit }),
    ...(spec.cpus === undefined ? {} : { NanoCpus: Math.round(spec.cpus * NANO) }),
    ...(spec.cpu_shares === undefined ? {} : { CpuShares: spec.cpu_shares }),
    ...(spec.cpuset === undefined ? {} : { CpusetCpus: spec.cpuset }),
    ...(spec.pids_limit === undefined ? {} : { PidsLimit: spec.pids_limit }),
    ...(spec.oom_score_adj === undefined ? {} : { OomScoreAdj: spec.oom_score_adj }),
    ...(spec.oom_kill_disable === undefined ? {} : { OomKillDisable: spec.oom_kill_disable }),
    ...(spec.shm_size === undefined ? {} : { ShmSize: spec.shm_size }),
    Ulimits: Object.entries(spec.ulimits).map(([name, { soft, hard }]) => ({ Name: name, Soft: soft, Hard: hard })),
  }
}

/**
 * The body of an update that brings these fields to what the spec says. A limit the spec does not set can only be
 * lifted for `pids_limit`; for others the engine takes "not set" for "leave it". Memory and swap go together, because
 * the engine refuses a memory limit above the swap limit in force.
 */
export function updateOptions(spec: Spec, fields: readonly string[]): WireHostConfig {
  const wanted = new Set(fields)
  const all = limitOptions(spec)
  const body: WireHostConfig = {}
  if (wanted.has('mem_limit') || wanted.has('memswap_limit')) {
    if (all.Memory !== undefined) {
      body.Memory = all.Memory
      body.MemorySwap = all.MemorySwap ?? 2 * all.Memory
    }
  }
  if (wanted.has('mem_reservation') && all.MemoryReservation !== undefined)
    body.MemoryReservation = all.MemoryReservation
  if (wanted.has('cpus') && all.NanoCpus !== undefined) body.NanoCpus = all.NanoCpus
  if (wanted.has('cpu_shares') && all.CpuShares !== undefined) body.CpuShares = all.CpuShares
  if (wanted.has('cpuset') && all.CpusetCpus !== undefined) body.CpusetCpus = all.CpusetCpus
  if (wanted.has('pids_limit')) body.PidsLimit = spec.pids_limit ?? -1
  return body
}
