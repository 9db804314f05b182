// What one leaf needs for itself alone while another one keeps it, and how a held leaf is kept running at its own pace.

import { expect, it } from 'vitest'

import type { Wait } from '../../../src/plan/planning.ts'
import { leaf, leafIn, NOW, planOf, refusal, runDigest, treeOf, verdictOn } from './build.ts'
import { on, running } from './judged.ts'
import { words } from './render-table.ts'

const at = (generation: number, port: number) => leaf(generation, `ports: ["${port}:80"]`)
const before = treeOf({ edge: at(1, 8080), rim: at(1, 8081) })
const swapped = treeOf({ edge: at(2, 8081), rim: at(2, 8080) })

function waitOn(tree: typeof before, name: string, because: string): Wait {
  const wanted = leafIn(tree, name)
  return { generation: wanted.generation, digest: runDigest(wanted), until: NOW + 60_000, because }
}

const said = (planned: ReturnType<typeof planOf>, name: string) => {
  const { kind, because } = verdictOn(planned, name)
  return `${kind}: ${because}`
}

it('two that swap a port are swapped in one table', async () => {
  const host = await running(before, swapped)
  const planned = planOf(swapped, await host.observe(swapped))
  expect(planned.tables.map(({ leaves }) => leaves)).toEqual([['edge', 'rim']])
})

it('one that is to get a port waits while its holder may not be swapped', async () => {
  const host = await running(before, swapped)
  const observed = await host.observe(swapped)
  const refused = planOf(swapped, observed, { refused: refusal('edge', 'not allowed') })
  expect([said(refused, 'edge'), said(refused, 'rim')]).toEqual([
    'refuse: not allowed',
    'hold: edge still holds host port 8080/tcp',
  ])
  expect(refused.tables).toEqual([])
})

it('it waits as long as its holder waits', async () => {
  const host = await running(before, swapped)
  const wait = waitOn(swapped, 'edge', 'the disk is full')
  const planned = planOf(swapped, await host.observe(swapped), { waits: new Map([['edge', wait]]) })
  expect(verdictOn(planned, 'rim')).toMatchObject({ kind: 'hold', retryAt: wait.until })
})

it('what goes gives up what it holds', async () => {
  const alone = treeOf({ rim: at(2, 8080) })
  const host = await running(before, alone)
  const planned = planOf(alone, await host.observe(alone))
  expect(said(planned, 'rim')).toMatch(/^replace: /)
})

it('a holder that is down and is started again holds it still', async () => {
  const host = await running(before, swapped)
  await host.engine.stop('edge')
  const planned = planOf(swapped, await host.observe(swapped), { refused: refusal('edge', 'not allowed') })
  expect([said(planned, 'edge'), said(planned, 'rim')]).toEqual([
    'refuse: not allowed; meanwhile: it exited with code 143',
    'hold: edge still holds host port 8080/tcp',
  ])
})

it('one that is down is not started while another leaf runs with what it needs for itself', async () => {
  const host = await running(before, swapped)
  await host.engine.stop('edge')
  await host.engine.stop('rim')
  await host.put(swapped, 'rim', { role: 'candidate' })
  const planned = planOf(swapped, await host.observe(swapped), { refused: refusal('edge', 'not allowed') })
  expect(said(planned, 'edge')).toBe(
    'hold: not allowed; meanwhile: it exited with code 143; rim.next has host port 8080/tcp',
  )
  expect(planned.tables.map(({ leaves }) => leaves)).toEqual([['rim']])
})

it('a held leaf that could not be kept running is left alone for a while, and its swap is not', async () => {
  const tree = treeOf({ web: leaf(2) })
  const host = await running(treeOf({ web: leaf(1) }), tree)
  const [web] = (await host.observe(tree)).containers
  await host.engine.stop(web?.id ?? '')
  const observed = await host.observe(tree)
  const mend = waitOn(tree, 'web', 'port is already allocated')
  const waits = new Map([['web, meanwhile', mend]])
  expect(on(tree, observed, { waits, refused: refusal('web', 'not allowed') })).toMatchObject({
    said: 'refuse: not allowed; meanwhile: it exited with code 143; port is already allocated',
    steps: [],
    retryAt: mend.until,
  })
  expect(on(tree, observed, { waits }).said).toMatch(/^replace: /)
})

it('its name is given back to a held leaf, too', async () => {
  const tree = treeOf({ web: leaf(2) })
  const host = await running(treeOf({ web: leaf(1) }), tree)
  const [web] = (await host.observe(tree)).containers
  await host.engine.rename(web?.id ?? '', 'mine')
  expect(on(tree, await host.observe(tree), { refused: refusal('web', 'not allowed') })).toMatchObject({
    said: 'refuse: not allowed; meanwhile: someone renamed it to mine',
    steps: ['rename mine to web'],
  })
})

it('an interrupted swap of a port: the old holder stays down while the new one is at its gate', async () => {
  const host = await running(before, swapped)
  for (const { id } of (await host.observe(before)).containers) await host.engine.stop(id)
  await host.put(swapped, 'edge', { role: 'candidate' })
  await host.put(swapped, 'rim', { role: 'candidate', state: 'created' })
  const planned = planOf(swapped, await host.observe(swapped))
  const stepsOf = (leaf: string) =>
    planned.tables
      .filter(({ leaves }) => leaves.includes(leaf))
      .flatMap(({ prepare, commit, cleanup }) => [...prepare, ...commit, ...cleanup])
      .map(({ action }) => words(action))
  expect(stepsOf('rim')).toEqual(['remove rim.next'])
})
