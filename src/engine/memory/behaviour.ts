// What a program does that exists only in memory: a script in virtual time, given with its image.

import { createHash } from 'node:crypto'
import type { ImageFacts, RunningSpec } from '../../plan/observed.ts'

export interface Behaviour {
  /** Milliseconds after its start; left out: it runs until somebody stops it. */
  readonly exitsAfter?: number
  /** Of an exit by itself; 0 where it is left out. */
  readonly exitCode?: number
  /** From when its check passes, milliseconds after its start; 0 where it is left out. */
  readonly healthyAfter?: number | 'never'
  /** From when its check fails again, milliseconds after its start. */
  readonly sickAfter?: number
  /** What a failing check says. */
  readonly checkOutput?: string
  /** Its start fails, and the spec is to blame: the engine's words. */
  readonly startError?: string
  /** Milliseconds until it has ended after a stop; its grace period at most. */
  readonly stopTakes?: number
  /** Clients connected to its ports while it runs; 0 where it is left out. */
  readonly connections?: number
  /** Of an ingress: lines of a configuration that hold one of these are not taken. */
  readonly rejects?: readonly string[]
  /** Lines it writes at each start. */
  readonly output?: readonly string[]
}

export interface ImageDefinition {
  /** What differs from an image that says nothing. */
  readonly facts?: Partial<Omit<ImageFacts, 'id'>>
  /** A function sees how the container is configured, so that a setting can be what breaks it. */
  readonly behaviour?: Behaviour | ((running: RunningSpec) => Behaviour)
  /** Milliseconds a pull takes. */
  readonly pullTakes?: number
  readonly size?: number
}

export interface MemoryImage {
  readonly facts: ImageFacts
  readonly definition: ImageDefinition
}

/** Equal definitions of one reference are one image; any other definition has another id. */
export function defineImage(reference: string, definition: ImageDefinition): MemoryImage {
  const script = typeof definition.behaviour === 'function' ? definition.behaviour.toString() : definition.behaviour
  const content = JSON.stringify([reference, definition.facts ?? {}, script ?? {}])
  const facts: ImageFacts = {
    id: `sha256:${hex(`id ${content}`)}`,
    digests: [`${reference.replace(/[:@][^/]*$/, '')}@sha256:${hex(`digest ${content}`)}`],
    environment: { PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin' },
    command: ['serve'],
    entrypoint: [],
    user: '',
    working_dir: '',
    labels: {},
    expose: [],
    volumes: [],
    stop_signal: '',
    healthcheck: null,
    ...definition.facts,
  }
  return { facts, definition }
}

export function behaviourOf(image: MemoryImage | undefined, running: RunningSpec): Behaviour {
  const behaviour = image?.definition.behaviour
  return (typeof behaviour === 'function' ? behaviour(running) : behaviour) ?? {}
}

/** Whether its check would pass so many milliseconds after its start. */
export function isWell(behaviour: Behaviour, uptime: number): boolean {
  const { healthyAfter = 0, sickAfter = Infinity } = behaviour
  return healthyAfter !== 'never' && uptime >= healthyAfter && uptime < sickAfter
}

export function hex(text: string): string {
  return createHash('sha256').update(text).digest('hex')
}
