// graft down: a deployment goes from an engine, dependents first, and its data only when somebody types its name.

import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

import { afterEach, beforeEach, expect, inject, it, vi } from 'vitest'

import { FOREVER, leaf, setStage, type Stage } from '../stage/stage.ts'
import { graft, type Ran } from './graft.ts'

let stage: Stage
beforeEach(async () => {
  stage = await setStage({ engineUrl: inject('engineUrl') })
})
afterEach(() => stage.end())

const QUICK = 'update: {settle: 0s}\n'

function run(...args: string[]): Promise<Ran> {
  // A proxy that lets through what a daemon does, where there is one, keeps the data: docs/engine-calls.md.
  return graft(stage.repo, [...args, ...where(args.includes('--volumes') ? inject('directEngineUrl') : undefined)])
}

function where(url = inject('engineUrl')): string[] {
  return ['--engine', url, '--state', stage.state, '--allow-privileged']
}

async function deploy(): Promise<void> {
  await stage.commit({
    'deployment.yaml': stage.deploymentYaml('networks: {back: {}}\nvolumes: {data: {}}\n'),
    'db.yaml': leaf(1, FOREVER, `${QUICK}networks: [back]\nvolumes: ["data:/data"]\nprune: false\n`),
    'migrate.yaml': leaf(1, 'exit 0', 'kind: job\nnetworks: [back]\ndepends_on: [db]\n'),
    'web.yaml': leaf(1, FOREVER, `${QUICK}networks: [back]\ndepends_on: [migrate, db]\n`),
  })
  expect(await run('apply')).toMatchObject({ exitCode: 0 })
}

/** Everything of the deployment that the engine has. */
async function remains() {
  const { docker, name } = stage
  const filters = { label: [`dev.graft.deployment=${name}`] }
  const containers = await docker.listContainers({ all: true, filters })
  const networks = await docker.listNetworks({ filters })
  const { Volumes } = await docker.listVolumes({ filters })
  const images = await docker.listImages()
  return {
    containers: containers.map(({ Names }) => Names[0]),
    networks: networks.map(({ Name }) => Name),
    volumes: (Volumes ?? []).map(({ Name }) => Name).toSorted(),
    tags: images.flatMap(({ RepoTags }) => RepoTags ?? []).filter((tag) => tag.startsWith(`graft.local/${name}/`)),
  }
}

const NOTHING = { containers: [], networks: [], volumes: [], tags: [] }

it('removes all but the data, those first that depend on others, and the data when its name is said', async () => {
  await deploy()
  const before = await remains()
  expect(before.tags.length).toBeGreaterThan(0)
  const dry = await run('down', '--dry-run')
  expect(dry.exitCode, dry.output).toBe(0)
  const order = ['web', 'db'].map((name) => dry.output.indexOf(`container ${stage.name}-${name}`))
  expect(order).toEqual(order.toSorted((a, b) => a - b))
  expect(order[0]).toBeGreaterThan(0)
  expect(dry.output).toContain(`stays: volume ${stage.name}_data`)
  const unasked = await run('down')
  expect(unasked).toMatchObject({ exitCode: 1, output: expect.stringContaining('no terminal') })
  expect(await remains()).toEqual(before)

  const done = await run('down', '--yes')
  expect(done.exitCode, done.output).toBe(0)
  expect(await remains()).toEqual({ ...NOTHING, volumes: [`${stage.name}_data`] })
  expect(existsSync(join(stage.state, 'deployments'))).toBe(true)

  // What is bound to this host has gone as well: it may come back, and finds its data.
  expect(await run('apply')).toMatchObject({ exitCode: 0 })
  expect((await stage.container('db').inspect()).Mounts.map(({ Name }) => Name)).toEqual([`${stage.name}_data`])
  const wrong = await run('down', '--yes', '--volumes', '--confirm', 'another')
  expect(wrong).toMatchObject({ exitCode: 1, output: expect.stringContaining(`is called ${stage.name}`) })
  const untyped = await run('down', '--yes', '--volumes')
  expect(untyped).toMatchObject({ exitCode: 1, output: expect.stringContaining(`--confirm ${stage.name}`) })
  expect((await remains()).volumes).toContain(`${stage.name}_data`)
  const all = await run('down', '--yes', '--volumes', '--confirm', stage.name)
  expect(all.exitCode, all.output).toBe(0)
  expect(await remains()).toEqual(NOTHING)
})

it('is refused while a daemon would bring everything back, and leaves what is not the deployment’s', async () => {
  await stage.commit({ 'web.yaml': leaf(1, FOREVER, QUICK) })
  const main = fileURLToPath(new URL('../../../dist/main.js', import.meta.url))
  const daemon = spawn(process.execPath, [main, 'run', ...where()], { cwd: stage.repo, stdio: 'ignore' })
  const neighbour = await stage.docker.createContainer({
    name: `${stage.name}-neighbour`,
    Image: 'graft-test/base:1',
    Cmd: ['sleep', '600'],
    HostConfig: { Mounts: [{ Type: 'volume', Source: `${stage.name}_theirs`, Target: '/d' }] },
  })
  try {
    await neighbour.start()
    const seen = await neighbour.inspect()
    await vi.waitFor(async () => expect(await stage.containers()).toMatchObject({ web: { state: 'running' } }), {
      timeout: 30_000,
    })
    const refused = await run('down', '--yes')
    expect(refused).toMatchObject({ exitCode: 1, output: expect.stringContaining(`process ${daemon.pid}`) })
    expect(await stage.containers()).toMatchObject({ web: { state: 'running' } })
    daemon.kill('SIGTERM')
    await once(daemon, 'exit')
    // Nothing of it needs the repository.
    await stage.commit({ 'deployment.yaml': 'not: [readable', 'web.yaml': null })
    const done = await run('down', '--yes', '--volumes', '--confirm', stage.name)
    expect(done.exitCode, done.output).toBe(0)
    expect(await remains()).toEqual(NOTHING)
    expect(await neighbour.inspect()).toEqual(seen)
  } finally {
    if (daemon.exitCode === null) daemon.kill('SIGKILL')
    await neighbour.remove({ force: true, v: true })
    await stage.docker
      .getVolume(`${stage.name}_theirs`)
      .remove()
      .catch(() => undefined)
  }
})
