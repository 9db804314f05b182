// The schemas in schemas/ are those of the code, take what the code takes, and admit variables.

import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import * as z from 'zod'
import { jsonSchemas } from '../../../src/desired/schema/json-schema.ts'
import { leafKeys } from '../../../src/desired/schema/service-keys.ts'

const schemas = jsonSchemas()
const FOLDER = new URL('../../../schemas/', import.meta.url)
const names = ['container', 'set', 'deployment'] as const

const readers = new Map(
  names.map((name) => [name, z.fromJSONSchema(schemas[name] as Parameters<typeof z.fromJSONSchema>[0])] as const),
)

function accepts(name: (typeof names)[number], value: unknown): boolean {
  return readers.get(name)?.safeParse(value).success === true
}

describe('the JSON Schemas', () => {
  it.each(names)('schemas/%s.schema.json is in step (UPDATE_SCHEMAS=1 writes it anew)', (name) => {
    const file = new URL(`${name}.schema.json`, FOLDER)
    const text = `${JSON.stringify(schemas[name], null, 2)}\n`
    if (process.env['UPDATE_SCHEMAS'] === '1') {
      mkdirSync(FOLDER, { recursive: true })
      writeFileSync(file, text)
    }
    expect(readFileSync(file, 'utf8')).toBe(text)
  })

  it('are the same each time', () => {
    expect(JSON.stringify(jsonSchemas())).toBe(JSON.stringify(schemas))
  })

  it('list exactly the served keys, each with a description and an example that is right', () => {
    const properties = (
      schemas.container as { properties: Record<string, { description?: string; examples?: unknown[] }> }
    ).properties
    expect(Object.keys(properties)).toEqual([...leafKeys].flatMap(([name, key]) => (key.served ? [name] : [])))
    for (const [name, { description, examples }] of Object.entries(properties)) {
      expect(description, name).toMatch(/\w{3}/)
      for (const example of examples ?? []) {
        expect(accepts('container', { generation: 1, image: 'a', [name]: example }), name).toBe(true)
      }
      expect(examples?.length, name).toBeGreaterThan(0)
    }
  })

  it.each([
    ['container', { generation: 1 }],
    ['container', { generation: 1, image: 'nginx:${version}' }],
    [
      'container',
      {
        generation: 1,
        image: 'a',
        ports: ['${PORT}:80', { target: '${PORT}' }],
        mem_limit: '${LIMIT}',
        init: '${INIT}',
      },
    ],
    [
      'container',
      { generation: 1, image: 'a', healthcheck: { http: { port: '${P}' }, interval: '${I:-5s}' }, restart: '${R}' },
    ],
    ['container', { generation: 1, image: 'a', 'x-note': 5, networks: { default: null }, command: null }],
    ['set', {}],
    ['set', { defaults: { restart: 'always', cpus: '${CPUS}' }, state: '${STATE}' }],
    ['deployment', { name: 'openstack', networks: { a: null }, host_variables: { A: '1' } }],
  ] as const)('take as %s: %j', (name, value) => {
    expect(accepts(name, value)).toBe(true)
  })

  it.each([
    ['container', { image: 'a' }],
    ['container', { generation: '${N}', image: 'a' }],
    ['container', { generation: 1, image: 'a', container_name: 'x' }],
    ['container', { generation: 1, image: 'a', mem_limit: 'much' }],
    ['container', { generation: 1, image: 'a', kind: 'jop' }],
    ['container', { generation: 1, image: 'a', ports: [{ target: 80, publishd: 1 }] }],
    ['set', { defaults: { generation: 1 } }],
    ['set', { image: 'a' }],
    ['deployment', {}],
    ['deployment', { name: 'openstack', networks: ['a'] }],
  ] as const)('refuse as %s: %j', (name, value) => {
    expect(accepts(name, value)).toBe(false)
  })
})
