import { defineConfig } from 'vitest/config'

import { closingLine } from './test/closing-line.ts'

export default defineConfig({
  test: {
    reporters: ['default', closingLine],
    projects: [
      { test: { name: 'unit', include: ['test/unit/**/*.test.ts'], pool: 'forks' } },
      // Whole daemon turns on the engine in memory: random histories, random faults, a virtual clock.
      {
        test: {
          name: 'simulation',
          include: ['test/simulation/**/*.test.ts'],
          pool: 'forks',
          // Most of what a history makes is thrown away at once: a larger nursery saves a sixth of the time.
          execArgv: ['--max-semi-space-size=64'],
        },
      },
      // What somebody hostile, or only careless, may hand to graft.
      { test: { name: 'inputs', include: ['test/inputs/**/*.test.ts'], pool: 'forks', testTimeout: 120_000 } },
      {
        test: {
          name: 'engine',
          include: ['test/engine/**/*.test.ts'],
          globalSetup: ['test/engine/ground/setup.ts'],
          // One engine for all files: what one file does to it would disturb another at the same time.
          fileParallelism: false,
          pool: 'forks',
          testTimeout: 120_000,
          hookTimeout: 300_000,
        },
      },
      {
        // Faults of the engine, the registry, the Git server, the disk, the clock; an engine of its own, too.
        test: {
          name: 'faults',
          include: ['test/faults/**/*.test.ts'],
          // An engine of its own for each file, and minutes of waiting: `npm run test:faults` runs them all.
          exclude:
            process.env['GRAFT_FAULTS'] === 'every'
              ? []
              : ['registry', 'disk', 'events-and-memory', 'person', 'crowd'].map(
                  (name) => `test/faults/${name}.test.ts`,
                ),
          fileParallelism: false,
          pool: 'forks',
          testTimeout: 600_000,
          hookTimeout: 300_000,
        },
      },
      {
        // graft killed at every engine call; it has an engine of its own, because it restarts it.
        test: {
          name: 'crash',
          include: ['test/crash/**/*.test.ts'],
          fileParallelism: false,
          pool: 'forks',
          testTimeout: 120_000,
          hookTimeout: 300_000,
        },
      },
    ],
  },
})
