// The contract against a real Docker Engine.

import { inject } from 'vitest'

import { dockerGround } from './docker-ground.ts'
import { engineContract } from './engine-contract.ts'

engineContract('Docker Engine', () =>
  dockerGround(inject('engineUrl'), `contract-${process.pid}`, inject('directEngineUrl')),
)
