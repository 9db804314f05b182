// The last line of a test run, in one form that people and programs read alike: `tests: 12 passed, 0 failed`.

import type { Reporter } from 'vitest/node'

export const closingLine: Reporter = {
  onTestRunEnd(modules, errors) {
    const counts = { passed: 0, failed: errors.length, skipped: 0 }
    for (const module of modules) {
      for (const test of module.children.allTests()) {
        const { state } = test.result()
        counts[state === 'pending' ? 'skipped' : state]++
      }
      // A file that does not load has no tests to count.
      if (module.errors().length > 0) counts.failed++
    }
    const skipped = counts.skipped > 0 ? `, ${counts.skipped} skipped` : ''
    process.stdout.write(`tests: ${counts.passed} passed, ${counts.failed} failed${skipped}\n`)
  },
}
