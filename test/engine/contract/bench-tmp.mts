import { connectEngine } from '../../../src/engine/connect.ts'
import { dockerEngine } from '../../../src/engine/docker-engine.ts'
import { dockerGround } from './docker-ground.ts'
import { leafOf, treeOf } from './sample-tree.ts'
const url = process.argv[2]!
const t0 = performance.now()
const ground = await dockerGround(url, 'benchtmp')
const { engine, connection } = ground
const [n1, n2] = [50, 500]
const tree0 = treeOf('benchtmp', [])
for (const w of tree0.networks.values()) await engine.createNetwork('benchtmp', w)
const image = (await engine.findImage('graft-test/base:1'))!
let made = 0
async function grow(n: number) {
  const jobs = []
  while (made < n) {
    const leaf = leafOf(`b-${made++}`)
    jobs.push(engine.create({ name: `benchtmp-${leaf.name}`, tree: treeOf('benchtmp', [leaf]), leaf, image, imageReference: leaf.spec.image, runDigest: 'x', joins: new Map() }))
    if (jobs.length % 8 === 0) await Promise.all(jobs)
  }
  await Promise.all(jobs)
}
async function measure(label: string) {
  const times = []
  for (let i = 0; i < 9; i++) { const t = performance.now(); await engine.observe('benchtmp', ['graft-test/base:1']); times.push(performance.now() - t) }
  times.sort((a, b) => a - b)
  console.log(label, 'median', times[4]!.toFixed(1), 'min', times[0]!.toFixed(1), 'max', times[8]!.toFixed(1))
}
try {
  for (const n of [n1, n2]) {
    await grow(n)
    await measure(`${n} cold`)
    const detach = connection.memory.attachStream()
    await measure(`${n} warm`)
    detach()
  }
} finally { await ground.cleanUp() }
