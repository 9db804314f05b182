// A program as the other end: how its end is seen.

import { describe, expect, it } from 'vitest'
import { openPipe } from '../../../src/repository/pipe.ts'

const env = { PATH: process.env['PATH'] ?? '' }

describe('a program at the other end of a pipe', () => {
  it('is at its end when it has ended, though something it started holds its streams open', async () => {
    const pipe = openPipe({ file: 'sh', args: ['-c', 'echo here; sleep 8 & exit 3'], env }, 60_000)
    const begun = Date.now()
    expect((await pipe.read())?.toString()).toBe('here\n')
    expect(await pipe.read()).toBeNull()
    expect((await pipe.ended).code).toBe(3)
    expect(Date.now() - begun).toBeLessThan(5000)
  }, 20_000)
})
