// The watching contract against a real Docker Engine.

import { inject } from 'vitest'

import { dockerGround } from './docker-ground.ts'
import { watchingContract } from './watching-contract.ts'

watchingContract('Docker Engine', () => dockerGround(inject('engineUrl'), `watching-${process.pid}`))
