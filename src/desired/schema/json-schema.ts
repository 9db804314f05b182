// The JSON Schemas that editors complete and check with, made from the schemas that read the files. A variable may stand
// wherever a value does, so every value may also be a text with a dollar sign.

import * as z from 'zod'
import { deploymentFile } from './deployment.ts'
import { leafKeys, leafOnlyKeys } from './service-keys.ts'
import { EXAMPLES } from './set-shape.ts'
import { setFile } from './set.ts'
import { mapping } from './shapes.ts'

type Json = Record<string, unknown>

/** A text in which a variable may stand. */
const VARIABLE = { type: 'string', pattern: '\\$' } as const

/** One schema for each kind of file, in draft 7, which editors know best. The same schemas give the same texts. */
export function jsonSchemas(): Record<'container' | 'set' | 'deployment', object> {
  const leaf = leafSchema()
  const defaults = defaultsOf(leaf)
  return {
    container: titled('A container or job of a graft deployment', leaf),
    set: titled('A container set of a graft deployment', setLike(bare(setFile), defaults)),
    deployment: titled('A graft deployment', setLike(bare(deploymentFile), defaults)),
  }
}

function leafSchema(): Json {
  const shape: Record<string, z.ZodType> = {}
  for (const [name, key] of leafKeys) {
    if (!key.served) continue
    // Only the generation cannot come from a set's defaults.
    shape[name] = name === 'generation' ? key.schema : key.schema.optional()
  }
  const schema = bare(mapping(shape))
  return withExamples(schema, (name) => {
    const key = leafKeys.get(name)
    return key?.served === true ? key.examples : []
  })
}

/** Without `$schema`, with variables admitted. */
function bare(schema: z.ZodType): Json {
  const { $schema: _dialect, ...rest } = z.toJSONSchema(schema, { io: 'input', target: 'draft-07' })
  return admitVariables(rest) as Json
}

function titled(title: string, schema: Json): Json {
  return { $schema: 'http://json-schema.org/draft-07/schema#', title, ...schema }
}

function defaultsOf(leaf: Json): Json {
  const { required: _required, ...rest } = leaf
  const keys = Object.entries(leaf['properties'] as Json).filter(([key]) => !Object.hasOwn(leafOnlyKeys, key))
  return { ...rest, properties: Object.fromEntries(keys) }
}

function setLike(schema: Json, defaults: Json): Json {
  const properties = schema['properties'] as Json
  const { description } = properties['defaults'] as Json
  const whole = { ...schema, properties: { ...properties, defaults: { description, ...defaults } } }
  return withExamples(whole, (name) => (Object.hasOwn(EXAMPLES, name) ? [EXAMPLES[name]] : []))
}

/** zod leaves examples out where a schema transforms; they are put back here, behind the description. */
function withExamples(schema: Json, examplesOf: (name: string) => readonly unknown[]): Json {
  const properties = Object.entries(schema['properties'] as Json).map(([name, property]) => {
    const { description, ...rest } = property as Json
    const examples = examplesOf(name)
    return [name, { description, ...(examples.length === 0 ? {} : { examples }), ...rest }] as const
  })
  return { ...schema, properties: Object.fromEntries(properties) }
}

/** Only the places where a JSON Schema holds further schemas are entered, so that examples stay as they are. */
function admitVariables(schema: unknown): unknown {
  if (typeof schema !== 'object' || schema === null) return schema
  const admitted: Json = {}
  for (const [key, value] of Object.entries(schema)) {
    if (key === 'properties') admitted[key] = mapValues(value as Json, admitVariables)
    else if (key === 'items' || key === 'additionalProperties') admitted[key] = admitVariables(value)
    else if (key === 'anyOf') admitted[key] = flatten((value as unknown[]).map(admitVariables))
    else if (key !== 'propertyNames') admitted[key] = value
  }
  if (typeof admitted['pattern'] === 'string') admitted['pattern'] = `${admitted['pattern']}|\\$`
  const words = admitted['enum']
  if (Array.isArray(words) && words.every((word) => typeof word === 'string')) {
    const { enum: _words, ...rest } = admitted
    return { ...rest, anyOf: [{ enum: words }, VARIABLE] }
  }
  return admitted
}

/** An alternative that has nothing but alternatives of its own is replaced by them; equal ones are kept once. */
function flatten(alternatives: readonly unknown[]): unknown[] {
  const flat = alternatives.flatMap((one) => {
    const inner =
      typeof one === 'object' && one !== null && Object.keys(one).length === 1 ? Reflect.get(one, 'anyOf') : null
    return Array.isArray(inner) ? inner : [one]
  })
  return [...new Map(flat.map((one) => [JSON.stringify(one), one])).values()]
}

function mapValues(values: Json, change: (value: unknown) => unknown): Json {
  return Object.fromEntries(Object.entries(values).map(([key, value]) => [key, change(value)]))
}
