// schemas/policy.schema.json is the code's own schema, describes every key, and takes what the code takes.

import { readFileSync, writeFileSync } from 'node:fs'

import { describe, expect, it } from 'vitest'
import { parse } from 'yaml'
import * as z from 'zod'

import { allSchemas, schemaText } from '../../../src/cli/schemas.ts'
import { parsePolicy } from '../../../src/desired/policy.ts'
import { grantSchema, ruleSchema } from '../../../src/desired/policy-schema.ts'

const schema = allSchemas().policy
const read = (path: string) => readFileSync(new URL(`../../../${path}`, import.meta.url), 'utf8')

it('is in step (UPDATE_SCHEMAS=1 writes it anew)', () => {
  const text = schemaText(schema)
  const file = new URL('../../../schemas/policy.schema.json', import.meta.url)
  if (process.env['UPDATE_SCHEMAS'] === '1') writeFileSync(file, text)
  expect(readFileSync(file, 'utf8')).toBe(text)
})

describe('each key has a description, and a row in docs/policy.md', () => {
  const page = read('docs/policy.md')
  it.each([...Object.entries(grantSchema.shape), ...Object.entries(ruleSchema.shape)])('%s', (key, value) => {
    expect(z.globalRegistry.get(value as z.ZodType)?.description, key).toMatch(/\w{3}/)
    expect(page).toMatch(new RegExp(`^\\| [^|]*\`${key}(:[^|]*)?\`[^|]*\\| \\S`, 'm'))
  })
})

const cases: [text: string, right: boolean][] = [
  [read('docs/example-policy.yaml'), true],
  ['format: 1\nrules: [{paths: ["**"], preset: restricted, mem_limit: {most: 2g}, cpus: {most: 1.5}}]', true],
  ['format: 1\nrules: [{paths: ["**"], mem_limit: {most: 1073741824}, pids_limit: required, ports: []}]', true],
  ['format: 1\nrules: [{paths: ["**"], ports: [{published: 8000-8999, host_ip: 10.0.0.0/8, protocol: udp}]}]', true],
  ['format: 1\ngrants: [{paths: [a], host_root: read_only, engine_socket: true, sysctls: [net.*]}]', true],
  ['format: 1\nrules: [{paths: [a], preset: strict}]', false],
  ['format: 1\nrules: [{preset: baseline}]', false],
  ['format: 1\nrules: [{paths: []}]', false],
  ['format: 1\nrules: [{paths: [a], mem_limit: much}]', false],
  ['format: 1\nrules: [{paths: [a], digest: true}]', false],
  ['format: 1\ngrants: [{paths: [a], binds: [/srv]}]', false],
  ['format: 1\ngrants: [{paths: [a], binds: [{source: srv}]}]', false],
  ['format: 2', false],
]

describe('the schema and the reader agree', () => {
  const accepts = z.fromJSONSchema(schema as Parameters<typeof z.fromJSONSchema>[0])
  it.each(cases)('%j: %s', (text, right) => {
    expect(accepts.safeParse(parse(text)).success).toBe(right)
    expect(parsePolicy(text, 'policy.yaml').policy !== null).toBe(right)
  })
})
