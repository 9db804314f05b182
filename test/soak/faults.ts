// What happens to the soak from outside: graft killed and frozen, the engine killed, stopped and cut off, the Git server
// away, somebody at work with `docker` by hand.

import { setTimeout as sleep } from 'node:timers/promises'

import type Docker from 'dockerode'

import type { GitServer } from '../../src/demo/git-server.ts'
import type { HostEngine } from '../../src/demo/host-engine.ts'
import { ENGINE_FAULTS, type EngineFaultKind, type EngineProxy } from '../engine/stage/engine-proxy.ts'
import type { Daemon } from './daemon.ts'
import type { Fleet, LeafModel } from './fleet.ts'
import type { Random } from './random.ts'
import { listContainers } from './watch.ts'

export interface FaultGround {
  readonly engine: HostEngine
  readonly docker: Docker
  readonly proxy: EngineProxy
  readonly daemon: Daemon
  readonly git: { server: GitServer; restart(): Promise<void> }
  readonly fleet: Fleet
  readonly deployment: string
  readonly prefix: string
}

export interface Fault {
  readonly what: string
  /** Whose absence is not graft's doing. */
  readonly excuses: readonly string[] | 'all'
  /** Whether clients may notice: the engine's own proxies of ports go with it. */
  readonly clientsMayNotice: boolean
  /** Begins, lasts, and is over when this resolves. */
  readonly run: () => Promise<void>
}

/** null: nothing happens in this round. `killGraft` false: graft's process is left alone. */
export function nextFault(ground: FaultGround, random: Random, killGraft: boolean): Fault | null {
  const roll = random.next()
  if (roll < 0.22) return null
  if (roll < 0.4) return killGraft ? killed(ground, random) : cut(ground, random)
  if (roll < 0.48) return killGraft ? ended(ground) : cut(ground, random)
  if (roll < 0.54) return frozen(ground, random)
  if (roll < 0.7) return cut(ground, random)
  if (roll < 0.77) return gitAway(ground, random)
  if (roll < 0.9) return byHand(ground, random)
  return engineGone(ground, random)
}

const none = { excuses: [], clientsMayNotice: false } as const

function killed({ daemon }: FaultGround, random: Random): Fault {
  const times = 1 + random.below(3)
  const pauses = Array.from({ length: times }, () => random.below(2_500))
  return {
    ...none,
    what: `graft killed with -9, ${times} times`,
    run: async () => {
      for (const pause of pauses) {
        await sleep(pause)
        await daemon.end('SIGKILL')
        daemon.start()
      }
    },
  }
}

function ended({ daemon }: FaultGround): Fault {
  return {
    ...none,
    what: 'graft ended and started',
    run: async () => {
      await daemon.end('SIGTERM')
      daemon.start()
    },
  }
}

function frozen({ daemon }: FaultGround, random: Random): Fault {
  const pause = 1_000 + random.below(6_000)
  return {
    ...none,
    what: 'graft frozen for a while',
    run: async () => {
      daemon.signal('SIGSTOP')
      await sleep(pause)
      daemon.signal('SIGCONT')
    },
  }
}

/** Of the calls of some seconds, a third meet one kind of fault. */
function cut({ proxy }: FaultGround, random: Random): Fault {
  const kind = random.pick(Object.keys(ENGINE_FAULTS) as EngineFaultKind[])
  const long = 2_000 + random.below(4_000)
  return {
    ...none,
    what: `calls to the engine: ${kind}`,
    run: async () => {
      proxy.fault = () => (random.chance(0.33) ? kind : null)
      await sleep(long)
      proxy.fault = () => null
    },
  }
}

function gitAway({ git }: FaultGround, random: Random): Fault {
  const long = 1_000 + random.below(6_000)
  return {
    ...none,
    what: 'the Git server away',
    run: async () => {
      await git.server.stop()
      await sleep(long)
      await git.restart()
    },
  }
}

function engineGone({ engine }: FaultGround, random: Random): Fault {
  const kill = random.chance(0.5)
  return {
    what: kill ? 'dockerd killed with -9' : 'dockerd stopped',
    excuses: 'all',
    clientsMayNotice: true,
    run: async () => {
      await (kill ? engine.kill() : engine.stop())
      await sleep(500)
      await engine.start()
    },
  }
}

const HANDS = ['stop', 'kill', 'pause', 'rename', 'remove'] as const

function byHand(ground: FaultGround, random: Random): Fault {
  // Of one whose declared generation does not work, nothing could bring back what somebody removes.
  const usual = ({ kind, live, generation }: LeafModel) =>
    live !== null && live === generation && (kind === 'store' || kind === 'pair')
  const leaf = random.pick(ground.fleet.leaves.filter(usual))
  const hand = random.pick(HANDS)
  return {
    what: `somebody does: docker ${hand} ${leaf.name}`,
    excuses: [leaf.name],
    clientsMayNotice: false,
    run: async () => {
      const all = await listContainers(ground.docker, ground.deployment, ground.prefix)
      const seen = all.find(({ name }) => name === leaf.name)
      if (seen === undefined) return
      const container = ground.docker.getContainer(seen.id)
      const done = {
        stop: () => container.stop({ t: 1 }),
        kill: () => container.kill(),
        pause: () => container.pause(),
        rename: () => container.rename({ name: `${ground.prefix}${leaf.name}-mine` }),
        remove: () => container.remove({ force: true }),
      }
      // It may be on its way out at this moment.
      await done[hand]().catch(() => undefined)
    },
  }
}
