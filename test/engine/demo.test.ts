// The demo, as a person runs it, beside a container of somebody else's that has one of the example's names: every act
// happens as told, and afterwards the engine is as it was.

import { execFile } from 'node:child_process'
import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { promisify } from 'node:util'

import type Docker from 'dockerode'
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest'

import { engineClient } from '../../src/demo/engine-address.ts'

const project = resolve(import.meta.dirname, '../..')
const run = promisify(execFile)

interface Summary {
  readonly ok: boolean
  readonly failure: string | null
  readonly left: readonly string[]
  readonly engine: { readonly own: boolean }
  readonly names: { readonly deployment: string; readonly prefix: string; readonly registry: string }
  readonly acts: {
    readonly launch: { readonly leaves: number; readonly sets: number; readonly took: number }
    readonly upgrade: {
      readonly lost: number
      readonly requests: number
      readonly gate: number
      readonly live: Seen
      readonly before: Seen
    }
    readonly refusal: { readonly exitCode: number; readonly reason: string }
    readonly revert: { readonly lost: number; readonly requests: number; readonly live: Seen }
  }
}

interface Seen {
  readonly id: string
  readonly generation: string
  readonly imageId: string
}

let docker: Docker
let folder = ''
let foreign: Docker.Container | undefined
let before: Record<string, string[]>
let summary: Summary
let story = ''

beforeAll(async () => {
  docker = engineClient(inject('directEngineUrl'))
  folder = await mkdtemp(join(tmpdir(), 'graft-demo-test-'))
  await run('npx', ['tsc', '-p', 'tsconfig.build.json'], { cwd: project })
  foreign = await docker.createContainer({
    name: 'mariadb',
    Image: 'graft-test/base:1',
    Cmd: ['sleep', '600'],
    HostConfig: { Init: true },
  })
  await foreign.start()
  before = await contents()
  const args = [
    'dist/main.js',
    'demo',
    '--json',
    '--engine',
    inject('directEngineUrl'),
    '--folder',
    join(folder, 'demo'),
  ]
  const outcome = await run(process.execPath, args, { cwd: project }).catch(
    (error: { stdout: string; stderr: string }) => error,
  )
  story = outcome.stderr
  summary = JSON.parse(outcome.stdout) as Summary
}, 280_000)

afterAll(async () => {
  await foreign?.remove({ force: true })
  await rm(folder, { recursive: true, force: true })
})

describe('the demo', () => {
  test('tells a story that is true', () => {
    expect({ ok: summary.ok, failure: summary.failure, left: summary.left }, story).toEqual({
      ok: true,
      failure: null,
      left: [],
    })
  })

  test('brings the whole example up', () => {
    expect(summary.acts.launch).toMatchObject({ leaves: 59, sets: 18 })
    expect(story).toContain('59 leaves in 18 sets run as declared')
  })

  test('swaps a service under a client that loses nothing', () => {
    const { lost, requests, live, before: old } = summary.acts.upgrade
    expect([lost, live.generation, old.generation]).toEqual([0, '2', '1'])
    expect(requests).toBeGreaterThan(20)
    expect(live.id).not.toBe(old.id)
  })

  test('shows a bad release refused, with the end of its log', () => {
    expect(summary.acts.refusal).toMatchObject({ exitCode: 1, reason: 'exited with code 1' })
    expect(story).toContain('CRITICAL nova-conductor')
  })

  test('rolls back to the very image that ran', () => {
    const { upgrade, revert } = summary.acts
    expect([revert.lost, revert.live.generation]).toEqual([0, '1'])
    expect(revert.live.imageId).toBe(upgrade.before.imageId)
    expect(revert.live.id).not.toBe(upgrade.live.id)
  })

  test('keeps off names that are taken', async () => {
    expect(summary.names.prefix).toBe('demo-')
    expect((await foreign?.inspect())?.State.Running).toBe(true)
  })

  test('says openly what it uses, without colours where nobody watches', () => {
    expect(story).toContain('not the real OpenStack')
    expect(story).not.toContain('\u001B[')
  })

  test('leaves the engine and the disk as they were', async () => {
    expect(await contents()).toEqual(before)
    expect(await readdir(folder)).toEqual([])
  })
})

/** Everything on the engine that has a name and is not of another deployment. */
async function contents(): Promise<Record<string, string[]>> {
  const containers = await docker.listContainers({ all: true })
  const networks = await docker.listNetworks()
  const volumes = (await docker.listVolumes()).Volumes ?? []
  const tags = (await docker.listImages()).flatMap(({ RepoTags }) => RepoTags ?? [])
  return {
    containers: containers
      .filter(isNobodys)
      .flatMap(({ Names }) => Names)
      .toSorted(),
    networks: networks
      .filter(isNobodys)
      .map(({ Name }) => Name)
      .toSorted(),
    volumes: volumes
      .filter(isNobodys)
      .map(({ Name }) => Name)
      .toSorted(),
    images: tags.filter((tag) => !/^graft\.local\/(?!openstack-demo|lock)/.test(tag)).toSorted(),
  }
}

function isNobodys({ Labels }: { readonly Labels?: Record<string, string> | undefined }): boolean {
  const deployment = Labels?.['dev.graft.deployment']
  return deployment === undefined || deployment.startsWith('openstack-demo')
}
