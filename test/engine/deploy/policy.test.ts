// The host's policy on a real engine: what it refuses is not there, and what runs already goes on.

import { mkdir, rm, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'

import { afterEach, beforeEach, describe, expect, inject, it } from 'vitest'

import { CHECKED, FOREVER, leaf, setStage, type Stage } from '../stage/stage.ts'

let stage: Stage
beforeEach(async () => {
  const engineUrl = inject('engineUrl')
  stage = await setStage({ engineUrl, settings: { allow_privileged: false, engine: engineUrl } })
})
afterEach(() => stage.end())

const HEALTHY = `touch /tmp/ok; ${FOREVER}`
const web = (generation = 1, more = '') => leaf(generation, HEALTHY, CHECKED + more)
const policy = (text: string) => writeFile(join(stage.state, 'policy.yaml'), `format: 1\n${text}\n`)
const because = async (name: string) =>
  (await stage.plan()).plan.verdicts.find((verdict) => verdict.leaf === name)?.because ?? ''

it('a leaf that keeps to restricted runs, and one that does not is refused', async () => {
  await policy('rules: [{paths: ["**"], preset: restricted}]')
  const careful =
    'user: "1000:1000"\ncap_drop: [ALL]\ncap_add: [NET_BIND_SERVICE]\nsecurity_opt: ["no-new-privileges:true"]\nsysctls: {net.ipv4.ip_unprivileged_port_start: "0"}\nread_only: true\ntmpfs: /tmp\n'
  await stage.commit({ 'careful.yaml': web(1, careful), 'plain.yaml': web() })
  const { verdicts } = await stage.apply()
  expect(verdicts).toEqual({ careful: 'create', plain: 'refuse' })
  expect(Object.keys(await stage.containers())).toEqual(['careful'])
  expect(await because('plain')).toContain(`refused by rule 1 at ${join(stage.state, 'policy.yaml')}:2: `)
  expect((await stage.apply()).verdicts).toMatchObject({ careful: 'keep' })
})

it('what runs goes on running under a policy that refuses it', async () => {
  await stage.commit({ 'aa.yaml': web() })
  await stage.apply()
  const before = await stage.containers()
  await policy('rules: [{paths: ["**"], read_only: required}]')
  expect((await stage.apply()).verdicts).toEqual({ aa: 'refuse' })
  expect(await stage.containers()).toEqual(before)
})

describe('a bind mount is what its links lead to', () => {
  it('where somebody puts a link into a granted folder', async () => {
    const granted = join(stage.folder, 'granted')
    await mkdir(join(granted, 'data'), { recursive: true })
    await policy(`grants: [{paths: ["**"], binds: [{source: "${granted}/**"}]}]`)
    const bound = (generation: number) => web(generation, `volumes: ["${granted}/data:/data"]\n`)
    await stage.commit({ 'aa.yaml': bound(1) })
    expect((await stage.apply()).verdicts).toEqual({ aa: 'create' })
    const before = await stage.containers()

    await rm(join(granted, 'data'), { recursive: true })
    await symlink('/etc', join(granted, 'data'))
    await stage.commit({ 'aa.yaml': bound(2) })
    expect((await stage.apply()).verdicts).toEqual({ aa: 'refuse' })
    expect(await because('aa')).toContain(`${granted}/data leads to /etc on this host`)
    expect(await stage.containers()).toEqual(before)
  })

  it("where it leads to the engine's own socket", async () => {
    const granted = join(stage.folder, 'granted')
    await mkdir(granted)
    await symlink(inject('engineUrl').replace('unix://', ''), join(granted, 'harmless'))
    await policy(`grants: [{paths: ["**"], binds: [{source: "${granted}/**"}]}]`)
    await stage.commit({ 'aa.yaml': web(1, `volumes: ["${granted}/harmless:/run/x"]\n`) })
    expect((await stage.apply()).verdicts).toEqual({ aa: 'refuse' })
    expect(await because('aa')).toContain("it is the engine's socket")
    expect(await stage.containers()).toEqual({})
  })
})

it('a volume or network that no leaf is granted is not made', async () => {
  const strange = 'volumes: {odd: {driver_opts: {type: tmpfs, device: tmpfs}}}\nnetworks: {odd: {driver: macvlan}}\n'
  await stage.commit({
    'deployment.yaml': stage.deploymentYaml(strange),
    'aa.yaml': web(),
    'bb.yaml': web(1, 'volumes: ["odd:/x"]\nnetworks: [odd]\n'),
  })
  expect((await stage.apply()).verdicts).toEqual({ aa: 'create', bb: 'refuse' })
  const filters = { name: [`${stage.name}_odd`] }
  expect((await stage.docker.listVolumes({ filters })).Volumes).toEqual([])
  expect(await stage.docker.listNetworks({ filters })).toEqual([])
  await policy('grants: [{paths: [bb], volume_drivers: [local], network_drivers: [macvlan]}]')
  expect((await stage.apply()).verdicts).toEqual({ aa: 'keep', bb: 'create' })
  expect((await stage.docker.listVolumes({ filters })).Volumes).toHaveLength(1)
})
