// Where paths of the host lead, on a real file system.

import { mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { createServer, type Server } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { afterAll, beforeAll, describe, expect, it } from 'vitest'

import { lookAtPaths, ownFiles } from '../../../src/daemon/look-at-paths.ts'
import { createPathWatch } from '../../../src/daemon/path-watch.ts'
import { settingsSchema } from '../../../src/daemon/settings.ts'
import { judgePolicy } from '../../../src/desired/policy-judge.ts'
import { oneLeaf, policyFile } from '../desired/one-leaf.ts'

const folder = realpathSync(mkdtempSync(join(tmpdir(), 'graft-paths-')))
const at = (path: string) => join(folder, path)
let server: Server

beforeAll(async () => {
  mkdirSync(at('granted/inner'), { recursive: true })
  mkdirSync(at('secret'))
  mkdirSync(at('engine'))
  mkdirSync(at('state'))
  writeFileSync(at('secret/key'), '')
  symlinkSync(at('secret'), at('granted/out'))
  symlinkSync('../../secret', at('granted/inner/up'))
  symlinkSync(at('secret/not-yet'), at('granted/dangling'))
  symlinkSync(at('granted/circle'), at('granted/circle'))
  symlinkSync('/', at('granted/root'))
  symlinkSync(at('engine/api'), at('granted/api'))
  symlinkSync(at('state'), at('granted/state'))
  server = createServer()
  await new Promise<void>((done) => server.listen(at('engine/api'), done))
})

afterAll(async () => {
  await new Promise((done) => server.close(done))
  rmSync(folder, { recursive: true, force: true })
})

async function look(source: string, engine = `unix://${at('engine/api')}`) {
  const { leaf, tree } = oneLeaf(`volumes: ["${source}:/x"]`)
  const places = await lookAtPaths(tree, { engine, own: [at('state')] })
  const policy = policyFile(`grants: [{paths: ["**"], binds: [{source: "${at('granted')}/**"}]}]`)
  return { places, problem: judgePolicy(leaf, tree, policy, false, places) }
}

describe('a bind mount is judged by where it leads', () => {
  it.each(['granted/inner', 'granted/not/there', 'granted/inner/../inner'])('%s stays inside', async (path) => {
    expect((await look(at(path))).problem).toBeNull()
  })

  it.each([
    ['granted/out', 'secret'],
    ['granted/out/key', 'secret/key'],
    ['granted/inner/up', 'secret'],
    ['granted/dangling', 'secret/not-yet'],
    ['granted/out/new/folder', 'secret/new/folder'],
    ['granted/api', 'engine/api'],
    ['granted/state/policy.yaml', 'state/policy.yaml'],
  ])('%s leads to %s', async (path, to) => {
    const { problem } = await look(at(path))
    expect(problem?.message).toContain(`${at(path)} leads to ${at(to)} on this host`)
  })

  it('the root, the socket of the engine and the files of graft are known by what they are', async () => {
    expect((await look(at('granted/root'))).problem?.remedy).toContain('host_root: true')
    expect((await look(at('granted/api'))).problem?.remedy).toContain('engine_socket: true')
    expect((await look(at('granted/state'))).problem?.message).toContain("graft's own files")
  })

  it('what goes in circles is not sure', async () => {
    const { places, problem } = await look(at('granted/circle'))
    expect(places.resolved.get(at('granted/circle'))).toBeNull()
    expect(problem?.message).toContain('graft may not look at')
  })

  it.each(['tcp://10.0.0.1:2375', 'ssh://me@there'])('of another host nothing is known: %s', async (engine) => {
    const { places, problem } = await look(at('granted/out'), engine)
    expect(places.resolved.size).toBe(0)
    expect(problem).toBeNull()
  })

  it('a leaf without any costs no look', async () => {
    const { tree } = oneLeaf('tmpfs: /x')
    expect((await lookAtPaths(tree, { engine: 'unix:///run/docker.sock', own: [] })).links.size).toBe(0)
  })
})

it("graft's own files are its state and what its settings name", () => {
  const keys = { policy: '/p.yaml', git_token_file: '/t', docker_config: '/d', verify: { keys: '/k' } }
  const settings = { ...settingsSchema.parse(keys), state: '/s', repo: '/r.git' }
  const own = ['/c', '/d', '/e', '/etc/graft', '/k', '/p.yaml', '/r.git', '/s', '/t']
  expect(ownFiles(settings, { GRAFT_CONFIG: '/e', DOCKER_CERT_PATH: '/c' }).toSorted()).toEqual(own)
  const remote = { ...settings, repo: 'https://git.example.org/shop.git' }
  expect(ownFiles(remote, {})).not.toContain(remote.repo)
})

it('is guarded behind an engine on a port of this host, too', async () => {
  const { places, problem } = await look(at('granted/inner'), 'tcp://127.0.0.1:2375')
  expect(places).toMatchObject({ own: [at('state')], resolved: new Map() })
  expect(problem).toBeNull()
  expect((await look(at('granted'), 'tcp://10.0.0.9:2375')).places.own).toEqual([])
})

it('a link that is put somewhere else is a change, once', async () => {
  const { tree } = oneLeaf(`volumes: ["${at('granted/moves')}:/x"]`)
  symlinkSync(at('granted/inner'), at('granted/moves'))
  const watch = createPathWatch((one) => lookAtPaths(one, { engine: `unix://${at('engine/api')}`, own: [] }))
  expect(await watch.changes()).toBe(0)
  await watch.look(tree)
  expect(await watch.changes()).toBe(0)
  rmSync(at('granted/moves'))
  symlinkSync(at('secret'), at('granted/moves'))
  expect(await watch.changes()).toBe(1)
  expect(await watch.changes()).toBe(1)
})
