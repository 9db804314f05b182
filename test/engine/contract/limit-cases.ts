// Field cases: limits.

import type { FieldCase } from './field-case.ts'

const MB = 1024 * 1024

export const LIMIT_CASES = {
  ulimits: [
    {
      set: { ulimits: { nofile: { soft: 512, hard: 1024 } } },
      changes: ['ulimits.nofile'],
      reaches: { 'HostConfig.Ulimits': [{ Name: 'nofile', Soft: 512, Hard: 1024 }] },
    },
  ],
  shm_size: [
    { set: { shm_size: 128 * MB }, changes: ['shm_size'], reaches: { 'HostConfig.ShmSize': 128 * MB } },
    {
      about: 'the default said aloud',
      set: { shm_size: 64 * MB },
      changes: [],
      reaches: { 'HostConfig.ShmSize': 64 * MB },
    },
  ],
  mem_limit: [
    {
      set: { mem_limit: 64 * MB },
      changes: ['mem_limit'],
      mayBeUnsupported: 'mem_limit',
      reaches: { 'HostConfig.Memory': 64 * MB },
    },
  ],
  mem_reservation: [
    {
      set: { mem_reservation: 32 * MB },
      changes: ['mem_reservation'],
      mayBeUnsupported: 'mem_reservation',
      reaches: { 'HostConfig.MemoryReservation': 32 * MB },
    },
  ],
  memswap_limit: [
    {
      base: { mem_limit: 64 * MB },
      set: { mem_limit: 64 * MB, memswap_limit: 96 * MB },
      changes: ['memswap_limit'],
      mayBeUnsupported: 'memswap_limit',
      reaches: { 'HostConfig.MemorySwap': 96 * MB },
    },
    {
      about: 'unlimited',
      base: { mem_limit: 64 * MB },
      set: { mem_limit: 64 * MB, memswap_limit: -1 },
      changes: ['memswap_limit'],
      mayBeUnsupported: 'memswap_limit',
      reaches: { 'HostConfig.MemorySwap': -1 },
    },
  ],
  cpus: [{ set: { cpus: 0.5 }, changes: ['cpus'], mayBeUnsupported: 'cpus', reaches: { 'HostConfig.NanoCpus': 5e8 } }],
  cpu_shares: [
    {
      set: { cpu_shares: 512 },
      changes: ['cpu_shares'],
      mayBeUnsupported: 'cpu_shares',
      reaches: { 'HostConfig.CpuShares': 512 },
    },
  ],
  cpuset: [
    {
      set: { cpuset: '0' },
      changes: ['cpuset'],
      mayBeUnsupported: 'cpuset',
      reaches: { 'HostConfig.CpusetCpus': '0' },
    },
  ],
  pids_limit: [
    {
      set: { pids_limit: 100 },
      changes: ['pids_limit'],
      mayBeUnsupported: 'pids_limit',
      reaches: { 'HostConfig.PidsLimit': 100 },
    },
    { about: 'unlimited', set: { pids_limit: -1 }, changes: [], reaches: {} },
  ],
  oom_score_adj: [
    { set: { oom_score_adj: 100 }, changes: ['oom_score_adj'], reaches: { 'HostConfig.OomScoreAdj': 100 } },
  ],
  oom_kill_disable: [
    {
      base: { mem_limit: 64 * MB },
      set: { mem_limit: 64 * MB, oom_kill_disable: true },
      changes: ['oom_kill_disable'],
      mayBeUnsupported: 'oom_kill_disable',
      reaches: { 'HostConfig.OomKillDisable': true },
    },
  ],
} satisfies Readonly<Record<string, readonly FieldCase[]>>
