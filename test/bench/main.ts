// `npm run bench`: graft against Docker Compose 2 and the bare engine calls, and against its own limits.

import { writeFile } from 'node:fs/promises'
import { cpus, totalmem } from 'node:os'

import { GroundFault } from '../../src/demo/ground-fault.ts'
import { gitHistory, gitLines } from './git-history.ts'
import { layGround } from './ground.ts'
import { daemonMemory, memoryLines } from './memory.ts'
import { readOptions, USAGE, WITHOUT_ENGINE, type BenchOptions } from './options.ts'
import { race, raceLines, SERVICES } from './race.ts'
import { megabytes } from './samples.ts'
import { swapLines, swaps } from './swaps.ts'
import { largeTree, treeLines } from './trees.ts'
import { turnLines, warmTurns } from './turns.ts'

async function bench(options: BenchOptions): Promise<void> {
  const begun = Date.now()
  const say = (text: string): void =>
    console.error(`${String(Math.round((Date.now() - begun) / 1000)).padStart(4)} s  ${text}`)
  const results: Record<string, unknown> = {}
  const show = (part: string, data: unknown, lines: readonly string[]): void => {
    results[part] = data
    console.log(`\n${lines.join('\n')}`)
  }

  // Without an engine first: what needs one leaves a machine warm and its disk busy.
  if (options.parts.has('trees')) {
    const trees = [await largeTree(1_000, say), await largeTree(10_000, say)]
    show('trees', trees, treeLines(trees))
  }
  if (options.parts.has('git')) {
    const figures = await gitHistory(options.commits, 1_000, say)
    show('git', figures, gitLines(figures))
  }
  const needsEngine = [...options.parts].some((part) => !WITHOUT_ENGINE.has(part))
  const ground = needsEngine ? await layGround(options.engine, say) : null
  try {
    if (ground !== null) {
      const { engineVersion, composeVersion } = ground
      const cores = cpus()
      const machine = { node: process.version, cpu: cores[0]?.model ?? '', cores: cores.length, memory: totalmem() }
      show('ground', { engine: engineVersion, compose: composeVersion, ...machine }, [
        `Docker Engine ${engineVersion}, Compose ${composeVersion}, Node ${machine.node}, ${machine.cores} × ${machine.cpu}, ${megabytes(machine.memory)}`,
      ])
      if (options.parts.has('race')) {
        const runners = await race(ground, options.rounds, say)
        show('race', runners, raceLines(runners))
      }
      if (options.parts.has('swaps')) {
        const figures = await swaps(ground, options.swaps, say)
        show('swaps', figures, swapLines(figures))
      }
      if (options.parts.has('turns')) {
        const turns = [await warmTurns(ground, SERVICES, say), await warmTurns(ground, options.many, say)]
        show('turns', turns, turnLines(turns))
      }
      if (options.parts.has('memory')) {
        const memory = await daemonMemory(ground, SERVICES, options.daemonSeconds, say)
        show('memory', memory, memoryLines(memory))
      }
    }
  } finally {
    await ground?.end()
  }
  if (options.json !== null) await writeFile(options.json, `${JSON.stringify(results, null, 2)}\n`)
}

try {
  const options = readOptions(process.argv.slice(2))
  if (options === null) console.log(USAGE)
  else await bench(options)
} catch (error) {
  process.exitCode = 1
  if (error instanceof GroundFault) console.error(`${error.message}\n${error.remedy}`)
  else if (error instanceof TypeError) console.error(`${error.message}\n\n${USAGE}`)
  else throw error
}
