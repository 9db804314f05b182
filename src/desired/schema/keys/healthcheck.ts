// `healthcheck`: Compose's form, which the engine runs, or one of graft's own two probes.

import * as z from 'zod'
import type { EngineHealthcheck, Milliseconds } from '../../spec.ts'
import type { Probe, ProbeTiming } from '../../tree.ts'
import { integer } from '../numbers.ts'
import { duration } from '../quantities.ts'
import { type Mistake, report } from '../scalar.ts'
import { mapping } from '../shapes.ts'
import { boolean, text } from '../texts.ts'
import { httpProbe, tcpProbe } from './probe.ts'

/** A leaf has one or neither. */
export type HealthWish =
  | { kind: 'engine'; healthcheck: EngineHealthcheck }
  | { kind: 'probe'; probe: Probe }
  | { kind: 'none' }

/** The engine's own timings (Dockerfile reference, HEALTHCHECK). */
const TIMING: ProbeTiming = { interval: 30_000, timeout: 30_000, retries: 3, start_period: 0 }

interface Timings {
  interval?: Milliseconds | undefined
  timeout?: Milliseconds | undefined
  start_period?: Milliseconds | undefined
  start_interval?: Milliseconds | undefined
  retries?: number | undefined
}

export const healthcheck = mapping({
  test: z
    .union([text(), z.array(text('empty'))])
    .optional()
    .meta({ description: 'A command for a shell, or [CMD, word, …], [CMD-SHELL, line] or [NONE]' }),
  http: httpProbe.optional().meta({ description: 'graft asks for a page' }),
  tcp: tcpProbe.optional().meta({ description: 'graft opens a connection' }),
  interval: duration(1).optional().meta({ description: 'Time between two checks' }),
  timeout: duration(1).optional().meta({ description: 'After this a check has failed' }),
  start_period: duration(0).optional().meta({ description: 'Failures in this time after the start do not count' }),
  start_interval: duration(1).optional().meta({ description: 'Time between two checks during start_period' }),
  retries: integer({ min: 1, example: '3' }).optional().meta({ description: 'Failures in a row that mean unhealthy' }),
  disable: boolean().optional().meta({ description: "Also switches off the image's own check" }),
}).transform(({ test, http, tcp, disable, ...rest }, context): HealthWish => {
  const timings: Timings = {
    interval: rest.interval,
    timeout: rest.timeout,
    start_period: rest.start_period,
    start_interval: rest.start_interval,
    retries: rest.retries,
  }
  const forms = Object.entries({ test, http, tcp }).filter(([, form]) => form !== undefined)
  if (forms.length > 1) {
    const mistake = `${forms.map(([form]) => form).join(' and ')} exclude each other`
    report(context, { mistake, remedy: 'keep one of them' }, [forms[1]?.[0] ?? 'test'], 'key')
  }
  if (disable === true) {
    const form = http === undefined ? (tcp === undefined ? null : 'tcp') : 'http'
    if (form !== null)
      report(context, { mistake: `${form} beside disable: true`, remedy: 'leave one of the two out' }, [form], 'key')
    return { kind: 'engine', healthcheck: { disable: true } }
  }
  const probe = http ?? tcp
  if (probe !== undefined) {
    if (timings.start_interval !== undefined) {
      const mistake = 'start_interval has no effect on an http or tcp probe, which graft runs at a rhythm of its own'
      report(context, { mistake, remedy: 'leave it out' }, ['start_interval'], 'key')
    }
    return { kind: 'probe', probe: { ...withTimings(timings), ...probe } }
  }
  return engineCheck(test, timings, context)
})

function withTimings(timings: Timings): ProbeTiming {
  return {
    interval: timings.interval ?? TIMING.interval,
    timeout: timings.timeout ?? TIMING.timeout,
    retries: timings.retries ?? TIMING.retries,
    start_period: timings.start_period ?? TIMING.start_period,
  }
}

function engineCheck(
  test: string | string[] | undefined,
  timings: Timings,
  context: z.core.$RefinementCtx,
): HealthWish {
  const check: Exclude<EngineHealthcheck, { disable: true }> = {}
  if (typeof test === 'string') check.test = ['CMD-SHELL', test]
  else if (test?.[0] === 'NONE' && test.length === 1) return { kind: 'engine', healthcheck: { disable: true } }
  else if (test !== undefined && test.length > 0) {
    const wrong = testMistake(test)
    if (wrong === null) check.test = test
    else report(context, wrong, ['test'])
  }
  for (const key of ['interval', 'timeout', 'start_period', 'start_interval', 'retries'] as const) {
    const value = timings[key]
    if (value !== undefined) check[key] = value
  }
  return Object.keys(check).length === 0 ? { kind: 'none' } : { kind: 'engine', healthcheck: check }
}

function testMistake(test: readonly string[]): Mistake | null {
  const remedy = 'write [CMD, word, …], [CMD-SHELL, "a line for a shell"] or [NONE]'
  if (test[0] === 'CMD') return test.length > 1 ? null : { mistake: 'CMD without a command', remedy }
  if (test[0] === 'CMD-SHELL') {
    return test.length === 2 ? null : { mistake: 'CMD-SHELL takes exactly one line', remedy }
  }
  return { mistake: 'a test that is a list starts with CMD, CMD-SHELL or NONE', remedy }
}
