// What a person is told where statuses are asked for and cannot be.

import pino from 'pino'
import { describe, expect, it } from 'vitest'

import { systemClock } from '../../../src/apply/clock.ts'
import { openForgeTalk } from '../../../src/cli/forge-talk.ts'
import { settingsSchema } from '../../../src/daemon/settings.ts'

function open(repo: string, more: Record<string, string> = {}): void {
  const settings = { ...settingsSchema.parse({ forge_token_file: '/run/token', ...more }), repo }
  openForgeTalk({ settings, host: 'alpha', clock: systemClock, log: pino({ level: 'silent' }) })
}

describe('statuses that cannot be told', () => {
  it('are a mistake that names the host, and not the password in the address', () => {
    const repo = 'https://ada:s3cret@git.example/team/site.git'
    expect(() => open(repo)).toThrow(/on which forge git\.example is$/)
  })

  it('are a mistake where the API has no address', () => {
    const repo = 'https://github.com/team/site'
    expect(() => open(repo, { forge_api: 'api.github.com' })).toThrow('forge_api is no address')
    expect(() => open(repo, { forge_api: 'https://api.github.com/' })).not.toThrow()
  })
})
