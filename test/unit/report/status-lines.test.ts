// What graft status shows, as pictures.

import { describe, expect, it } from 'vitest'

import { createPalette } from '../../../src/report/palette.ts'
import type { LeafStatus, Status } from '../../../src/report/status.ts'
import { statusLines } from '../../../src/report/status-lines.ts'

const now = Date.UTC(2026, 0, 10)
const options = { palette: createPalette(false), now }
const commit = {
  id: '330f730f76e744a3c8f5eb3bbb3ef785b255c8e6',
  parents: [],
  subject: 'Bump nova',
  author: 'Ann',
  time: now - 90_000,
}

function leaf(name: string, change: Partial<LeafStatus>): LeafStatus {
  return {
    name,
    kind: 'container',
    generation: { wanted: 2, running: 2 },
    image: 'quay.io/openstack.kolla/nova-api:2025.1',
    sync: 'synced',
    state: 'running',
    health: 'healthy',
    since: now - 3_700_000,
    container: null,
    because: 'as declared',
    retryAt: null,
    lastSwap: null,
    restart: null,
    ...change,
  }
}

const status: Status = {
  deployment: 'openstack',
  repository: { description: 'https://git.example/site.git', tip: commit, seenAt: now - 4_000, fault: null },
  engine: { url: 'unix:///var/run/docker.sock', reachable: true, message: null },
  commit,
  problems: [],
  daemon: { pid: 77, since: now - 600_000 },
  tree: {
    name: 'openstack',
    path: '',
    state: 'running',
    suspend: false,
    leaves: [],
    sets: [
      {
        name: 'control',
        path: 'control',
        state: 'running',
        suspend: true,
        sets: [],
        leaves: [
          leaf('nova-api', {}),
          leaf('nova-conductor', {
            sync: 'held',
            generation: { wanted: 3, running: 2 },
            health: 'none',
            because: 'the registry does not answer',
            retryAt: now + 8_000,
          }),
          leaf('nova-db-sync', { kind: 'job', state: 'completed', health: 'none', since: null, because: 'completed' }),
        ],
      },
    ],
  },
  departed: [leaf('old', { sync: 'leaving', state: 'exited', since: null, generation: { wanted: null, running: 4 } })],
  removalHeld: null,
  notes: [],
}

describe('a status', () => {
  it('is a head and a tree with aligned columns', () => {
    expect(statusLines(status, options).join('\n')).toMatchInlineSnapshot(`
      "deployment  openstack
      repository  https://git.example/site.git  seen 4 s ago
      commit      330f730 Bump nova  Ann, 1 min ago
      engine      unix:///var/run/docker.sock  reachable
      daemon      process 77, for 10 min

      NAME              GEN    IMAGE            SYNC       HEALTH     AGE  REASON
      control/                                  suspended
        nova-api        2      nova-api:2025.1  synced     healthy    1 h
        nova-conductor  2 → 3  nova-api:2025.1  held       running    1 h  the registry does not answer; again in 8 s
        nova-db-sync    2      nova-api:2025.1  synced     completed
      old               4      nova-api:2025.1  leaving    exited

      1 held, 1 leaving, 2 in sync"
    `)
  })

  it('says first what cannot be reached, and that an older commit is in force', () => {
    const tip = { ...commit, id: 'ffff' + commit.id.slice(4), subject: 'Broken' }
    const lines = statusLines(
      {
        ...status,
        repository: {
          ...status.repository,
          tip,
          fault: { message: 'git.example does not answer', remedy: 'Look at it' },
        },
        engine: { url: 'tcp://far:2375', reachable: false, message: 'it refuses connections' },
        daemon: null,
        tree: null,
      },
      options,
    ).join('\n')
    expect(lines).toContain('git.example does not answer (seen 4 s ago)')
    expect(lines).toContain('not taken over ffff')
    expect(lines).toContain('it refuses connections')
    expect(lines).toContain('none is running')
    expect(lines).toContain('what runs is not known')
  })

  it('shows the last swap where there was one, and a restart that failed', () => {
    const swap = { at: now, from: 1, to: 2, gate: 1_000, drain: null, availability: null } as const
    const seen = { port: '0.0.0.0:80', tried: 1_203, lost: 0, longestPause: 12 }
    const leaves = [
      leaf('first', {}),
      leaf('web', { lastSwap: { ...swap, order: 'start-first', gap: 0, availability: seen } }),
      leaf('database', {
        lastSwap: { ...swap, order: 'stop-first', gap: 612, drain: { how: 'time', milliseconds: 10_000, open: 3 } },
        restart: { at: now, state: 'failed', message: 'exited with code 1' },
      }),
    ]
    const tree = { name: 'shop', path: '', state: 'running' as const, suspend: false, sets: [], leaves }
    const lines = statusLines({ ...status, tree, departed: [] }, options)
    expect(lines.slice(lines.findIndex((line) => line.startsWith('NAME'))).join('\n')).toMatchInlineSnapshot(`
      "NAME      GEN  IMAGE            SYNC    HEALTH   AGE  LAST SWAP                                       REASON
      first     2    nova-api:2025.1  synced  healthy  1 h
      web       2    nova-api:2025.1  synced  healthy  1 h  no gap, 0 of 1,203 lost
      database  2    nova-api:2025.1  synced  healthy  1 h  gap 0.6 s, drain over after 10 s, 3 still open  not restarted: exited with code 1

      3 in sync"
    `)
  })
})
