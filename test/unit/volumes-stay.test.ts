// Volumes hold data: no plan can remove one, because there is no action for it, and only a person's own command does.

import { readdirSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'

import { expect, test } from 'vitest'

const root = resolve(import.meta.dirname, '../../src')
const files = readdirSync(root, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.ts'))
const text = (name: string) => readFileSync(join(root, name), 'utf8')

test('no action of a plan removes a volume', () => {
  const actions = [...text('plan/step.ts').matchAll(/do: '([a-z-]+)'/g)].map(([, action]) => action ?? '')
  expect(actions).toContain('create-volume')
  expect(actions.filter((action) => action.includes('volume'))).toEqual(['create-volume'])
})

test('graft down alone calls what removes one, and the engine itself for the mark of a container that has gone', () => {
  const callers = files.filter((name) => /\bremoveVolume\(/.test(text(name)) && !name.startsWith('engine/'))
  expect(callers.toSorted()).toEqual(['apply/engine.ts', 'cli/down-rest.ts'])
  const deleting = files.filter((name) => /'DELETE'/.test(text(name)) && /\/volumes\//.test(text(name)))
  expect(deleting.filter((name) => name !== 'engine/calls-used.ts')).toEqual(['engine/volumes.ts'])
})
