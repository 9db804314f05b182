import { defineConfig } from 'vitest/config'

import { closingLine } from './test/closing-line.ts'

export default defineConfig({
  test: {
    reporters: ['default', closingLine],
    projects: [
      { test: { name: 'unit', include: ['test/unit/**/*.test.ts'], pool: 'forks' } },
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
