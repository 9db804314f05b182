// The list of engine calls: which requests it takes, what is written into HAProxy's file, and that the page shows it.

import { readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'

import { describe, expect, it, test } from 'vitest'

import { CALLS_USED, callUsed } from '../../../src/engine/calls-used.ts'
import { callLines, engineProxyLines } from '../../../src/report/engine-proxy.ts'

const page = readFileSync(join(resolve(import.meta.dirname, '../../..'), 'docs/engine-calls.md'), 'utf8')
const place = {
  engine: '/var/run/docker.sock',
  socket: '/run/graft/engine.sock',
  user: 'graft',
  account: 'haproxy',
  group: 'docker',
}

describe('callUsed', () => {
  it.each([
    ['GET', '/version'],
    ['GET', '/v1.45/containers/json?all=true'],
    ['GET', '/v1.41/images/quay.io:5000/a/b@sha256:0123/json'],
    ['POST', '/v1.51/containers/create?name=web.next'],
    ['POST', '/v1.45/images/create?fromImage=quay.io%2Fa&tag=1'],
    ['POST', '/v1.45/images/create?fromSrc=-&repo=graft.local%2Flock&tag=1'],
    ['POST', '/v1.45/images/sha256:0123/tag?repo=graft.local%2Fd%2Fweb&tag=g1-0123'],
    ['DELETE', '/v1.45/images/graft.local/d/web:g1-0123'],
  ])('takes %s %s', (method, target) => expect(callUsed(method, target)).not.toBeNull())

  it.each([
    ['POST', '/v1.45/containers/json'],
    ['GET', '/v2/containers/json'],
    ['GET', '/v1.45/v1.45/info'],
    ['GET', '/containers/a/b/json'],
    ['DELETE', '/volumes/a/b'],
    ['GET', '/containers/a%2Fb/json'],
    ['GET', '/containers//json'],
    ['DELETE', '/images/graft.localx/d'],
    ['POST', '/images/a/tag?repo=graft.local%2Fd&repo=nginx'],
    ['POST', '/images/a/tag?repo=xgraft.local%2Fd'],
  ])('does not take %s %s', (method, target) => expect(callUsed(method, target)).toBeNull())
})

test('HAProxy’s file has a rule for each call, and refuses at its end', () => {
  const lines = engineProxyLines(place)
  expect(lines.filter((line) => line.includes('http-request allow if'))).toHaveLength(
    CALLS_USED.filter(({ only }) => only === undefined).length,
  )
  const refusal = lines.findLastIndex((line) => line.includes('http-request deny'))
  const lastAllowed = lines.findLastIndex((line) => line.includes('http-request allow'))
  expect(refusal).toBeGreaterThan(lastAllowed)
  expect(lines).toContain('    server engine unix@/var/run/docker.sock')
  expect(lines).toContain('    bind unix@/run/graft/engine.sock user graft mode 600')
})

test('removal of volumes is for a person’s command, that of marks for the daemon, too', () => {
  expect(callUsed('DELETE', '/volumes/site_data')?.only).toBe('graft down --volumes')
  expect(callUsed('DELETE', '/volumes/site_migrate.done-g3')).toMatchObject({ path: '/volumes/{mark}' })
  expect(callUsed('DELETE', '/volumes/site_web.adopted-g3-0123456789ab')?.only).toBeUndefined()
})

test('the table on the page is the list', () => {
  const rows = [...page.matchAll(/^\| `([A-Z]+)` \| `(\S+)` \| (.*?) \|/gm)].map(([, method, path, purpose]) => [
    method,
    path,
    purpose,
  ])
  expect(rows).toEqual(CALLS_USED.map(({ method, path, purpose }) => [method, path, purpose]))
  expect(page).toContain(`graft needs ${CALLS_USED.length} of them`)
  expect(callLines()).toHaveLength(CALLS_USED.length)
})
