// The daemon's start: what it waits for, and what it says to whoever started it.

import { pino } from 'pino'
import { describe, expect, it } from 'vitest'

import { EngineFault } from '../../../src/apply/engine.ts'
import { untilHeld } from '../../../src/cli/wait-until-ready.ts'

function told() {
  const events: string[] = []
  const log = pino({ base: null }, { write: (line: string) => void events.push(String(JSON.parse(line).event)) })
  return { events, log }
}

describe('the hold on a deployment', () => {
  it('is asked for again where the connection breaks while it is taken', async () => {
    const { events, log } = told()
    let asked = 0
    const held = await untilHeld('/nowhere', { log, signal: new AbortController().signal }, async () => {
      if (++asked === 1) throw new EngineFault('unreachable', 'socket hang up', 'See whether the engine runs')
      return 'ours'
    })
    expect([held, asked, events]).toEqual(['ours', 2, ['engine-fault', 'engine-back']])
  })

  it('is not asked for again where its name is somebody else’s', async () => {
    const { log } = told()
    const fault = new EngineFault('name-taken', 'graft.shop.lock is no lock', 'Remove it')
    const work = untilHeld('/nowhere', { log, signal: new AbortController().signal }, () => Promise.reject(fault))
    await expect(work).rejects.toBe(fault)
  })
})
