// How the container is started, watched, stopped, logged, and what must be there first.

import * as z from 'zod'
import type { Dependency } from '../../tree.ts'
import { duration } from '../quantities.ts'
import { type Mistake, report, scalar } from '../scalar.ts'
import { refused, served } from '../service-key.ts'
import { mapping, plainValue, record, sortedRecord } from '../shapes.ts'
import { cut } from '../show.ts'
import { boolean, choice, isName, name, text } from '../texts.ts'
import { healthcheck } from './healthcheck.ts'

const restart = scalar<string>({
  types: ['string', 'boolean'],
  expected: 'no, always, unless-stopped, on-failure or on-failure:N',
  example: 'always',
  json: {
    anyOf: [
      { enum: ['no', 'always', 'unless-stopped', 'on-failure'] },
      { type: 'string', pattern: '^on-failure:[0-9]+$' },
    ],
  },
  read: (value): { value: string } | Mistake | null => {
    if (value === false) return { mistake: 'expected a restart policy, found false', remedy: 'write "no" in quotes' }
    const found = String(value)
    const count = /^on-failure:(\d{1,6})$/.exec(found)?.[1]
    if (count !== undefined) return { value: Number(count) === 0 ? 'on-failure' : `on-failure:${Number(count)}` }
    return ['no', 'always', 'unless-stopped', 'on-failure'].includes(found) ? { value: found } : null
  },
})

const stopSignal = scalar<string>({
  types: ['string', 'number'],
  expected: 'a signal, by name or number',
  example: 'SIGTERM',
  json: { type: ['string', 'integer'], pattern: '^(SIG)?[A-Z0-9]+([+-][0-9]+)?$|^[0-9]+$', minimum: 1, maximum: 64 },
  read: (value) => {
    const found = String(value).toUpperCase()
    if (/^\d+$/.test(found)) return Number(found) >= 1 && Number(found) <= 64 ? { value: String(Number(found)) } : null
    if (!/^(?:SIG)?[A-Z]+[A-Z0-9]*(?:[+-]\d{1,2})?$/.test(found)) return null
    return { value: found.startsWith('SIG') ? found : `SIG${found}` }
  },
})

const STARTED: Dependency = { condition: 'service_started', restart: false }

const dependency = mapping({
  condition: choice(['service_started', 'service_healthy', 'service_completed_successfully']),
  restart: boolean().optional().meta({ description: 'Restart this leaf when that one is replaced' }),
  required: boolean().optional().meta({ description: 'Only true: what is named must be there' }),
}).transform((wish, context): Dependency => {
  if (wish.required === false) {
    const mistake = 'a dependency that may be missing is not served'
    report(context, { mistake, remedy: 'leave required out, or leave the dependency out' }, ['required'])
  }
  return { condition: wish.condition, restart: wish.restart ?? false }
})

const dependsOn = z.union([
  z.array(name('mariadb')).transform((names) => new Map(names.map((one) => [one, STARTED] as const))),
  record(dependency, (key) =>
    isName(key) ? null : { mistake: `"${cut(key)}" is no name of a leaf or set`, remedy: 'write for example mariadb' },
  ).transform((all) => new Map(Object.entries(all))),
])

/** Options of the driver that Compose and the engine use unless told otherwise: rotated, so that no disk fills up. */
const ROTATION = { 'max-file': '3', 'max-size': '10m' }

/** What a leaf without `logging` gets. */
export function defaultLogging(): { driver: string; options: Record<string, string> } {
  return { driver: 'json-file', options: { ...ROTATION } }
}

const logging = mapping({
  driver: text().optional().meta({ description: 'json-file where it is left out' }),
  options: record(z.union([z.null().transform(() => ''), plainValue()]))
    .optional()
    .meta({ description: "The driver's options; json-file rotates at 10 MB and keeps 3 files unless told otherwise" }),
}).transform(({ driver = 'json-file', options = {} }) => ({
  driver,
  options: sortedRecord(Object.entries(driver === 'json-file' ? { ...ROTATION, ...options } : options)),
}))

const HOOK_ADVICE = "put it into the image's entry point, or write a job that depends on the leaf"

export const lifecycleKeys = {
  healthcheck: served(
    'How to tell whether the container is healthy: a command in it, or an http or tcp probe by graft',
    healthcheck,
    { test: ['CMD', 'healthcheck_port', 'nova-conductor', '5672'], interval: '30s' },
    { http: { port: 8774, path: '/healthcheck' }, interval: '5s' },
  ),
  restart: served('When the engine starts the container again; always where it is left out', restart, 'always'),
  init: served(
    'Whether a small PID 1 reaps processes; yes where it is left out and the image brings none',
    boolean(),
    true,
  ),
  stop_signal: served('The signal that asks the command to end', stopSignal, 'SIGTERM'),
  stop_grace_period: served('How long the command may take to end before it is killed', duration(0), '1m30s'),
  logging: served('Where output goes', logging, { driver: 'json-file', options: { 'max-size': '50m' } }),
  depends_on: served('Leaves and sets that must be there first', dependsOn, ['mariadb'], {
    'nova-db-sync': { condition: 'service_completed_successfully' },
  }),
  pull_policy: served(
    'When to pull the image; missing where it is left out',
    scalar<'missing' | 'always' | 'never'>({
      types: ['string'],
      expected: 'missing, always or never',
      example: 'missing',
      json: { enum: ['missing', 'if_not_present', 'always', 'never'] },
      read: (value) => {
        if (value === 'if_not_present' || value === 'missing') return { value: 'missing' }
        if (value === 'always' || value === 'never') return { value }
        return /^(?:build|refresh|daily|weekly|every_.*)$/.test(String(value))
          ? {
              mistake: `pull_policy ${cut(String(value))} is not served`,
              remedy: 'name another tag or digest and raise the generation, or write always',
            }
          : null
      },
    }),
    'missing',
  ),
  attach: refused('leave it out: graft logs shows the output of any leaf'),
  develop: refused('leave it out: graft runs what is committed'),
  models: refused('write a leaf that serves the model'),
  post_start: refused(HOOK_ADVICE),
  pre_stop: refused('handle stop_signal in the command'),
  provider: refused('write a leaf or a job that runs the provider'),
  pull_refresh_after: refused('name another tag or digest and raise the generation'),
}
