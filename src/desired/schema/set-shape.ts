// The keys of set.yaml, which deployment.yaml has too.

import * as z from 'zod'
import { scalar } from './scalar.ts'
import { mapping, record } from './shapes.ts'
import { cut } from './show.ts'
import { boolean, choice, name, text } from './texts.ts'

/** A name that `${NAME}` can hold. */
export const VARIABLE_NAME = /^[A-Za-z_][A-Za-z0-9_]*$/

/** Variables that graft itself sets. */
const OWN_VARIABLES: Readonly<Record<string, string>> = {
  version: 'write version: beside variables, it becomes ${version}',
  prefix: 'write prefix: in deployment.yaml, it becomes ${prefix}',
}

/** A value that is filled in as text. Fractions need quotes: YAML would make 1.1 of 1.10. */
export function exactText(example: string): z.ZodType<string> {
  return scalar({
    types: ['string', 'number', 'boolean'],
    expected: 'a text',
    example,
    json: { type: ['string', 'integer', 'boolean'] },
    read: (value) =>
      typeof value === 'number' && !Number.isSafeInteger(value)
        ? {
            mistake: `the number ${value} may not be what was written, because YAML takes 1.10 for 1.1`,
            remedy: `write it in quotes: "${value}"`,
          }
        : { value: String(value) },
  })
}

/** A mapping whose keys are names of variables. */
export function variableMap<T>(value: z.ZodType<T>): z.ZodType<Record<string, T>> {
  return record(value, (key) => {
    const own = Object.hasOwn(OWN_VARIABLES, key) ? OWN_VARIABLES[key] : undefined
    if (own !== undefined) return { mistake: 'graft sets this variable itself', remedy: own }
    if (VARIABLE_NAME.test(key)) return null
    return {
      mistake: `"${cut(key)}" is no name of a variable`,
      remedy: 'use letters, digits and _, and start with no digit',
    }
  })
}

/** `defaults` is checked apart, by the table of a leaf's keys. */
export const setShape = {
  description: text('empty').optional().meta({ description: 'What this set is, for people' }),
  depends_on: z
    .array(name('database-control'))
    .optional()
    .meta({ description: 'Sets and leaves beside this one that must be there first' }),
  version: exactText('"2025.1"').optional().meta({ description: 'Becomes ${version} in every leaf below' }),
  variables: variableMap(exactText('"some text"'))
    .optional()
    .meta({ description: 'Values for ${NAME}; the nearest set wins' }),
  defaults: z
    .record(z.string(), z.unknown())
    .optional()
    .meta({ description: 'Keys of a leaf that every leaf below has unless it says otherwise' }),
  update: mapping({
    together: boolean().optional().meta({ description: 'All members of the set are switched, or none' }),
  }).optional(),
  state: choice(['running', 'stopped']).optional().meta({ description: 'Whether the containers below run' }),
  suspend: boolean().optional().meta({ description: 'true: graft looks and does not touch' }),
}

/** Keys that a set does not have, with what to do instead. */
export const setAdvice: Readonly<Record<string, string>> = {
  services: 'write each service as a file of its own, NAME.yaml, in this folder',
  image: 'write it in a leaf, or under defaults',
  generation: 'write it in each leaf',
  environment: 'write it under defaults',
  networks: 'declare networks in deployment.yaml',
  volumes: 'declare volumes in deployment.yaml',
  host_variables: 'write it in deployment.yaml',
  ingress: 'write it in deployment.yaml: a deployment has one',
  name: "leave it out: the folder's name is the set's name",
}

/** A right value for each key whose form is not plain, for remedies and editors. */
export const EXAMPLES: Readonly<Record<string, unknown>> = {
  depends_on: ['database-control'],
  version: '2025.1-ubuntu-noble',
  variables: { REGION: 'one' },
  defaults: { stop_grace_period: '30s' },
  update: { together: true },
  networks: { default: { internal: true } },
  volumes: { data: {} },
  host_variables: { ADDRESS: { example: '10.0.0.1' } },
  ingress: { image: 'docker.io/library/haproxy:3.2-alpine', generation: 1 },
}
