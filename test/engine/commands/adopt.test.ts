// graft adopt: containers that docker run and Compose made are taken over, without a restart where nothing that matters
// differs; with the real program, the real Compose and a real engine.

import { execFile } from 'node:child_process'
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'

import { afterEach, beforeEach, describe, expect, inject, it } from 'vitest'

import { fetchPackages } from '../../../src/demo/debian-packages.ts'
import { defaultCacheFolder } from '../../../src/demo/host-system.ts'
import { FOREVER, setStage, type Stage } from '../stage/stage.ts'
import { graft, type Ran } from './graft.ts'

const run = promisify(execFile)
const IMAGE = 'graft-test/base:1'
const COMMAND = ['/bin/sh', '-c', FOREVER]

let stage: Stage
const made: string[] = []
beforeEach(async () => {
  stage = await setStage({ engineUrl: inject('engineUrl') })
})
afterEach(async () => {
  for (const id of made.splice(0)) {
    await stage.docker
      .getContainer(id)
      .remove({ force: true, v: true })
      .catch(() => undefined)
  }
  await stage.end()
})

function adopt(...args: string[]): Promise<Ran> {
  return graft(stage.repo, ['adopt', ...args, ...where()])
}

function where(): string[] {
  return ['--engine', inject('engineUrl'), '--state', stage.state, '--allow-privileged']
}

/** As `docker run -d` makes one. */
async function byHand(name: string, more: object = {}, host: object = {}): Promise<string> {
  const container = await stage.docker.createContainer({
    name: `${stage.name}-${name}`,
    Image: IMAGE,
    Cmd: COMMAND,
    ...more,
    HostConfig: { NetworkMode: 'host', ...host },
  })
  made.push(container.id)
  await container.start()
  return container.id
}

const web = (generation: number, more = '') =>
  `generation: ${generation}\nimage: ${IMAGE}\ncommand: ${JSON.stringify(COMMAND)}\nnetwork_mode: host\nupdate: {settle: 1s}\n${more}`

async function facts(name: string) {
  const { Id, State, HostConfig } = await stage.container(name).inspect()
  return { id: Id, startedAt: State.StartedAt, status: State.Status, policy: HostConfig.RestartPolicy?.Name }
}

async function marks(): Promise<string[]> {
  const { Volumes } = await stage.docker.listVolumes({
    filters: { label: [`dev.graft.deployment=${stage.name}`, 'dev.graft.kind=adopted'] },
  })
  return (Volumes ?? []).map(({ Name }) => Name)
}

describe('a container made by hand', () => {
  it('is taken over without a restart where nothing that matters differs, and only when somebody asks', async () => {
    const id = await byHand('web')
    const before = await facts('web')
    await stage.commit({ 'web.yaml': web(3) })
    const held = await stage.apply()
    expect(held.verdicts).toEqual({ web: 'hold' })
    expect(held.turn.plan.verdicts[0]?.because).toContain('is taken by a container')

    const dry = await adopt('--dry-run')
    expect(dry).toMatchObject({ exitCode: 0, output: expect.stringContaining('without a restart') })
    expect(dry.output).toMatch(/stays +init: not there → true/)
    expect(dry.output).toMatch(/set now +restart: no → always/)
    expect(await marks()).toEqual([])

    const unasked = await adopt()
    expect(unasked).toMatchObject({ exitCode: 1, output: expect.stringContaining('no terminal') })
    expect(await marks()).toEqual([])

    expect(await adopt('--yes')).toMatchObject({ exitCode: 0 })
    expect(await facts('web')).toEqual({ ...before, id, policy: 'always' })
    const turn = await stage.plan()
    expect(turn.plan.verdicts).toMatchObject([{ leaf: 'web', kind: 'keep', fromGeneration: 3 }])
    expect(await adopt('--yes')).toMatchObject({ exitCode: 0, output: expect.stringContaining('nothing to take over') })
  })

  it('belongs to the deployment from then on: drift is mended, a new generation swaps it, and its mark goes with it', async () => {
    const id = await byHand('web')
    await stage.commit({ 'web.yaml': web(1) })
    await adopt('--yes')
    await stage.container('web').stop({ t: 0 })
    expect((await stage.apply()).verdicts).toEqual({ web: 'restore' })
    expect(await facts('web')).toMatchObject({ id, status: 'running' })
    expect(await marks()).toHaveLength(1)

    await stage.commit({ 'web.yaml': web(2, 'environment: {A: b}\n') })
    expect((await stage.apply()).verdicts).toEqual({ web: 'replace' })
    const after = await stage.containers()
    expect(Object.keys(after)).toEqual(['web'])
    expect(after['web']?.id).not.toBe(id)
    await expect(stage.docker.getContainer(id).inspect()).rejects.toMatchObject({ statusCode: 404 })
    expect(await marks()).toEqual([])
  })

  it('that failed its first swap goes on as it was', async () => {
    const id = await byHand('web', { Env: ['A=old'] })
    await stage.commit({ 'web.yaml': web(1).replace(JSON.stringify(COMMAND), '["/bin/false"]') })
    const ran = await adopt('--yes')
    expect(ran).toMatchObject({ exitCode: 1 })
    expect(ran.output).toMatch(/differs +environment\.A: old → not there/)
    expect(await facts('web')).toMatchObject({ id, status: 'running' })
    await stage.commit({ 'web.yaml': web(2) })
    expect((await stage.apply()).verdicts).toEqual({ web: 'replace' })
    expect(await facts('web')).toMatchObject({ status: 'running' })
    expect(await marks()).toEqual([])
  })

  it('that differs is swapped as every other, under the name that its leaf has', async () => {
    await byHand('old-one', { Env: ['A=old'] })
    await stage.commit({ 'web.yaml': web(4), 'other.yaml': web(1) })
    const ran = await adopt('--yes', `web=${stage.name}-old-one`)
    expect(ran).toMatchObject({ exitCode: 0 })
    expect(ran.output).toContain('then swapped stop-first')
    // And nothing else was begun.
    expect(await stage.containers()).toEqual({ web: expect.objectContaining({ state: 'running', generation: '4' }) })
    await expect(stage.container('old-one').inspect()).rejects.toMatchObject({ statusCode: 404 })
  })

  it('that was stopped in a swap and then pruned comes back with labels of its own', async () => {
    const id = await byHand('web', { Env: ['A=old'] })
    await stage.commit({ 'web.yaml': web(1) })
    await adopt('--yes', '--dry-run')
    const [unowned] = (await stage.engine.unowned()).filter((one) => one.id === id)
    if (unowned === undefined) throw new Error('not found')
    const labels = { ...unowned.labels, deployment: stage.name, leaf: 'web', generation: 0, restart: 'always' }
    await stage.engine.adopt({ ...unowned, labels: { ...labels, adopted: { stays: [] } } })
    const captured = await stage.engine.capture(id, [])
    if (captured === null) throw new Error('gone')
    await stage.docker.getContainer(id).remove({ force: true })
    made.push(await stage.engine.recreate(captured))
    expect(await stage.containers()).toMatchObject({ web: { generation: '0' } })
  })
})

describe('what is not taken over', () => {
  it('data that the leaf does not mount, unless somebody says so', async () => {
    await byHand('web', {}, { Binds: [`${stage.name}_data:/data`] })
    await stage.commit({ 'web.yaml': web(1) })
    const ran = await adopt('--yes')
    expect(ran).toMatchObject({ exitCode: 1 })
    expect(ran.output).toContain(`volume ${stage.name}_data at /data`)
    expect(await marks()).toEqual([])
    const volumes = `volumes: {data: {external: true, name: ${stage.name}_data}}\n`
    await stage.commit({
      'deployment.yaml': stage.deploymentYaml(volumes),
      'web.yaml': web(2, 'volumes: ["data:/data"]\n'),
    })
    const { id } = await facts('web')
    const done = await adopt('--yes', '--json')
    expect(done.exitCode, done.output).toBe(0)
    for (const part of ['"how": "as-is"', '"adopted": true', '"inSync": true']) expect(done.output).toContain(part)
    expect(await facts('web')).toMatchObject({ id })
    await stage.docker.getContainer(id).remove({ force: true })
    await stage.docker.getVolume(`${stage.name}_data`).remove()
  })

  it('what is another’s, what does not run, what is not declared', async () => {
    await byHand('theirs', { Labels: { 'dev.graft.deployment': 'another', 'dev.graft.kind': 'container' } })
    const stopped = await byHand('web')
    await stage.docker.getContainer(stopped).stop({ t: 0 })
    await stage.commit({ 'web.yaml': web(1) })
    for (const asked of [`web=${stage.name}-theirs`, 'web', 'wep']) {
      const ran = await adopt('--yes', asked)
      expect(ran.exitCode, ran.output).toBe(1)
    }
    expect((await adopt('--yes', 'wep')).output).toContain('did you mean web?')
    expect(await marks()).toEqual([])
  })
})

describe('a Compose project', () => {
  it('goes on without a restart under a repository that declares the same', async () => {
    const package_ = { name: 'docker-compose', version: '2.26.1-4', otherwise: '2.26.1*' }
    const { root } = await fetchPackages({ suite: 'trixie', packages: [package_] }, defaultCacheFolder(process.env))
    const compose = join(root, 'usr/libexec/docker/cli-plugins/docker-compose')
    const folder = join(stage.folder, 'compose')
    await mkdir(folder)
    const command = JSON.stringify(COMMAND)
    await writeFile(
      join(folder, 'compose.yaml'),
      [
        `name: ${stage.name}`,
        'services:',
        `  db: {image: "${IMAGE}", command: ${command.replaceAll('$', '$$')}, restart: always, volumes: ["data:/var/lib/db"], environment: {MODE: fast}}`,
        `  web: {image: "${IMAGE}", command: ${command.replaceAll('$', '$$')}, restart: unless-stopped, depends_on: [db], mem_limit: 64m}`,
        'volumes: {data: {}}',
        '',
      ].join('\n'),
    )
    const env = { ...process.env, DOCKER_HOST: inject('directEngineUrl') }
    await run(compose, ['up', '-d', '--pull', 'never'], { cwd: folder, env })
    try {
      const rows = await stage.docker.listContainers({
        filters: { label: [`com.docker.compose.project=${stage.name}`] },
      })
      const before = new Map(rows.map((row) => [row.Labels['com.docker.compose.service'] ?? '', row.Id]))
      const started = async (id: string | undefined) =>
        (await stage.docker.getContainer(id ?? '').inspect()).State.StartedAt
      const times = [await started(before.get('db')), await started(before.get('web'))]
      await stage.commit({
        'deployment.yaml': stage.deploymentYaml(
          `networks: {default: {name: ${stage.name}_default, external: true}}\nvolumes: {data: {name: ${stage.name}_data, external: true}}\n`,
        ),
        'db.yaml': `generation: 1\nimage: ${IMAGE}\ncommand: ${command}\nvolumes: ["data:/var/lib/db"]\nenvironment: {MODE: fast}\n`,
        'web.yaml': `generation: 1\nimage: ${IMAGE}\ncommand: ${command}\nrestart: unless-stopped\ndepends_on: [db]\nmem_limit: 64m\n`,
      })
      const ran = await adopt('--yes')
      expect(ran.exitCode, ran.output).toBe(0)
      expect((await facts('db')).id).toBe(before.get('db'))
      expect((await facts('web')).id).toBe(before.get('web'))
      expect([await started(before.get('db')), await started(before.get('web'))]).toEqual(times)
      expect((await stage.plan()).plan.verdicts.map(({ kind }) => kind)).toEqual(['keep', 'keep'])
    } finally {
      await run(compose, ['down', '-v'], { cwd: folder, env }).catch(() => undefined)
    }
  })
})
