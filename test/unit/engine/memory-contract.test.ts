// The contract against the engine in memory.

import type { RunningSpec } from '../../../src/plan/observed.ts'
import type { Behaviour } from '../../../src/engine/memory/behaviour.ts'
import { memoryEngine } from '../../../src/engine/memory/memory-engine.ts'
import type { EngineGround } from '../../engine/contract/contract-bench.ts'
import { engineContract } from '../../engine/contract/engine-contract.ts'
import { OTHER_IMAGE, RICH_IMAGE } from '../../engine/contract/field-case.ts'
import { INGRESS_IMAGE } from '../../engine/contract/ingress-contract.ts'
import { RICH_IMAGE_FACTS } from '../../engine/contract/rich-image-cases.ts'
import { BASE_IMAGE } from '../../engine/contract/sample-tree.ts'
import { watchingContract, WRITES_AND_EXITS } from '../../engine/contract/watching-contract.ts'

engineContract('Engine in memory', ground)
watchingContract('Engine in memory', ground)

function ground(): Promise<EngineGround> {
  const engine = memoryEngine({ facts: { apiVersion: '1.51' } })
  engine.addImage(BASE_IMAGE, { behaviour })
  engine.addImage(INGRESS_IMAGE, { behaviour: { rejects: ['odd-keyword'] } })
  engine.addImage(OTHER_IMAGE, { facts: { command: ['other'] }, behaviour })
  engine.addImage(RICH_IMAGE, { facts: RICH_IMAGE_FACTS, behaviour })
  return Promise.resolve({
    engine,
    direct: engine,
    deployment: 'contract',
    addForeign: (name) => {
      const id = engine.addForeign(name, BASE_IMAGE)
      return Promise.resolve(() => engine.remove(id))
    },
    cleanUp: () => Promise.resolve(),
  })
}

/** The commands that the contract runs, as the programs in the real image do them. */
function behaviour({ command }: RunningSpec): Behaviour {
  const text = command?.join(' ') ?? ''
  if (text === '/no/such/command') return { startError: `exec: "${text}": no such file or directory` }
  if (text === WRITES_AND_EXITS.join(' ')) return { exitsAfter: 0, exitCode: 7, output: ['one', 'two'] }
  const exit = /^sh -c exit (\d+)$/.exec(text)?.[1]
  return exit === undefined ? {} : { exitsAfter: 0, exitCode: Number(exit) }
}
