// Every JSON Schema that graft publishes, by the name of what it describes.

import * as z from 'zod'

import { settingsSchema } from '../daemon/settings.ts'
import { policySchema } from '../desired/policy-schema.ts'
import { jsonSchemas } from '../desired/schema/json-schema.ts'

export const SCHEMA_NAMES = ['container', 'set', 'deployment', 'policy', 'config'] as const

export type SchemaName = (typeof SCHEMA_NAMES)[number]

export function allSchemas(): Record<SchemaName, object> {
  return {
    ...jsonSchemas(),
    policy: titled("What a host's policy lets a graft deployment ask for", policySchema),
    config: titled("A host's settings of graft", settingsSchema),
  }
}

export function schemaFile(name: SchemaName): string {
  return `${name}.schema.json`
}

export function schemaText(schema: object): string {
  return `${JSON.stringify(schema, null, 2)}\n`
}

function titled(title: string, schema: z.ZodType): object {
  const { $schema: _dialect, ...rest } = z.toJSONSchema(schema, { io: 'input', target: 'draft-07' })
  return { $schema: 'http://json-schema.org/draft-07/schema#', title, ...rest }
}
