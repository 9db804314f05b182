// What every implementation of `Engine` must do. Called once for each of them with a way to get one.

import { describe } from 'vitest'

import { adoptionContract } from './adoption-contract.ts'
import { containerContract } from './container-contract.ts'
import { contractBench, type EngineGround } from './contract-bench.ts'
import { fieldContract } from './field-contract.ts'
import { ingressContract } from './ingress-contract.ts'
import { lookContract } from './look-contract.ts'

export function engineContract(name: string, makeGround: () => Promise<EngineGround>): void {
  describe(`${name}: contract`, () => {
    const bench = contractBench(makeGround)
    fieldContract(bench)
    containerContract(bench)
    lookContract(bench)
    ingressContract(bench)
    adoptionContract(bench)
  })
}
