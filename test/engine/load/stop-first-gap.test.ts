// A stop-first swap as clients see it on the published port, against the engine's own floor: stop and start of two
// prepared containers by bare calls, in turns on the same engine, so that a busy machine is slow for both.

import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest'

import { inWords, median } from '../../bench/samples.ts'
import { freePort } from '../../../src/demo/free-port.ts'
import { setStage, type Stage } from '../stage/stage.ts'
import { visit } from './visits.ts'

const ROUNDS = 9
const COMMAND = ['/bin/httpd', '-f', '-p', '8080', '-h', '/etc']
const IMAGE = 'graft-test/base:1'

let stage: Stage
beforeAll(async () => {
  stage = await setStage({ engineUrl: inject('engineUrl') })
})
afterAll(() => stage?.end())

describe('a stop-first swap', () => {
  it.each([
    ['tcp', '{tcp: {port: 8080}}'],
    ['http', '{http: {port: 8080, path: /passwd}}'],
  ])(
    'with a %s check has a gap within 1.3 times what the engine needs',
    async (name, check) => {
      const [ownPort, barePort] = [await freePort(), await freePort()]
      const more = `ports: ["127.0.0.1:${ownPort}:8080"]\nhealthcheck: ${check}\n`
      const files = (generation: number) => ({ [`${name}.yaml`]: leafText(generation, more) })
      await stage.commit(files(1))
      await stage.apply()
      let bare = await prepared(barePort, `${name}-bare-0`)
      await bare.start()
      const graft: number[] = []
      const floor: number[] = []
      const told: number[] = []
      for (let round = 1; round <= ROUNDS; round++) {
        await stage.commit(files(round + 1))
        const swap = await visit(ownPort)
        const { results } = await stage.apply()
        graft.push(await swap.end())
        const result = results.find(({ table }) => table.id === name)
        expect(result?.outcome).toEqual({ kind: 'done' })
        told.push(result?.gaps.get(name) ?? Number.NaN)

        const next = await prepared(barePort, `${name}-bare-${round}`)
        const calls = await visit(barePort)
        await bare.stop()
        await next.start()
        floor.push(await calls.end())
        await bare.remove()
        bare = next
      }
      const ratio = median(graft) / median(floor)
      console.log(
        `${name}: gap of graft ${words(graft)}, told by graft ${words(told)}, floor ${words(floor)}, ratio ${ratio.toFixed(2)}`,
      )
      expect(ratio).toBeLessThanOrEqual(1.3)
      // What the report says is what clients see, but for the time between the stop's call and the end of the program.
      expect(median(told)).toBeGreaterThan(median(graft) * 0.7)
      expect(median(told)).toBeLessThan(median(graft) * 1.5)
    },
    300_000,
  )
})

function leafText(generation: number, more: string): string {
  return `generation: ${generation}\nimage: ${IMAGE}\ncommand: ${JSON.stringify(COMMAND)}\nenvironment: {ROUND: "${generation}"}\n${more}`
}

/** A container as graft would make it, but for its labels. */
async function prepared(port: number, name: string) {
  return stage.docker.createContainer({
    name: `${stage.name}-${name}`,
    Image: IMAGE,
    Cmd: COMMAND,
    ExposedPorts: { '8080/tcp': {} },
    Labels: { 'dev.graft.deployment': stage.name },
    HostConfig: {
      Init: true,
      NetworkMode: `${stage.name}_default`,
      PortBindings: { '8080/tcp': [{ HostIp: '127.0.0.1', HostPort: String(port) }] },
      LogConfig: { Type: 'json-file', Config: { 'max-size': '10m', 'max-file': '3' } },
    },
  })
}

function words(samples: readonly number[]): string {
  return `${inWords(median(samples))} (${inWords(Math.min(...samples))} to ${inWords(Math.max(...samples))})`
}
