// What the contract's parts share: an engine with a deployment of its own, and how to order, read and compare.

import { afterAll, beforeAll } from 'vitest'

import { type CreateOrder, type Engine, EngineFault } from '../../../src/apply/engine.ts'
import type { Spec } from '../../../src/desired/spec.ts'
import type { Leaf, Tree } from '../../../src/desired/tree.ts'
import { compareContainer } from '../../../src/plan/compare.ts'
import type { ObservedContainer } from '../../../src/plan/observed.ts'
import { leafOf, treeOf, openedSecrets } from './sample-tree.ts'

export interface EngineGround {
  /** Has the images of field-cases.ts. */
  readonly engine: Engine
  /** The same, past a proxy that lets through what a daemon does: for what `graft down --volumes` does. */
  readonly direct: Engine
  /** Not used by anybody else. */
  readonly deployment: string
  /** A container that is not graft's, with this name; the result removes it. */
  addForeign(name: string): Promise<() => Promise<void>>
  /** Removes all that the deployment has on the engine. */
  cleanUp(): Promise<void>
}

export interface ContractBench {
  /** There from the first test on. */
  readonly ground: () => EngineGround
  readonly engine: () => Engine
  readonly apiVersion: () => string
  tree(...leaves: Leaf[]): Tree
  /** Not used by another test. */
  uniqueName(): string
  create(leaf: Leaf): Promise<ObservedContainer>
  read(id: string): Promise<ObservedContainer>
  changedFields(leaf: Leaf, container: ObservedContainer, policy?: string | null): Promise<string[]>
  starts(id: string, mayRefuse: RegExp | undefined): Promise<boolean>
}

/** To be called inside a `describe`. Networks and volumes of the sample are there, and the leaf `peer` runs. */
export function contractBench(makeGround: () => Promise<EngineGround>): ContractBench {
  let ground: EngineGround
  let engine: Engine
  let apiVersion = ''
  let joins: ReadonlyMap<string, string> = new Map()
  let count = 0

  const tree = (...leaves: Leaf[]): Tree => treeOf(ground.deployment, leaves)
  const uniqueName = (): string => `leaf-${++count}`

  async function order(leaf: Leaf, containerName = `${ground.deployment}-${leaf.name}`): Promise<CreateOrder> {
    const image = await engine.findImage(leaf.spec.image)
    if (image === null) throw new Error(`the ground lacks ${leaf.spec.image}`)
    const runDigest = 'd'.repeat(64)
    return { name: containerName, tree: tree(leaf), leaf, image, imageReference: leaf.spec.image, runDigest, joins }
  }

  async function create(leaf: Leaf): Promise<ObservedContainer> {
    const id = await engine.create(await order(leaf))
    await engine.putFiles(id, leaf)
    return read(id)
  }

  async function read(id: string): Promise<ObservedContainer> {
    const container = await engine.inspect(id)
    if (container === null) throw new Error(`${id} is not there`)
    return container
  }

  async function changedFields(
    leaf: Leaf,
    container: ObservedContainer,
    policy: string | null = null,
  ): Promise<string[]> {
    const image = await engine.findImage(leaf.spec.image)
    const context = { joins, restartPolicyWanted: policy }
    return compareContainer({ leaf, tree: tree(leaf), image }, container, context).map((change) => change.field)
  }

  async function starts(id: string, mayRefuse: RegExp | undefined): Promise<boolean> {
    try {
      await engine.start(id)
      return true
    } catch (error) {
      if (error instanceof Error && mayRefuse?.test(error.message)) return false
      throw error
    }
  }

  beforeAll(async () => {
    ground = await makeGround()
    engine = ground.engine
    apiVersion = (await engine.observe(ground.deployment, [])).engine.apiVersion
    const { networks, volumes } = tree()
    for (const wish of networks.values()) await engine.createNetwork(ground.deployment, wish)
    for (const wish of volumes.values()) await engine.createVolume(ground.deployment, wish)
    const peer = await create(leafOf('peer', { ipc: 'shareable' }))
    await engine.start(peer.id)
    joins = new Map([['peer', peer.id]])
  })

  afterAll(async () => {
    await ground.cleanUp()
  })

  return {
    ground: () => ground,
    engine: () => engine,
    apiVersion: () => apiVersion,
    tree,
    uniqueName,
    create,
    read,
    changedFields,
    starts,
  }
}

/** The fault a call ends with; anything else is a failure. */
export async function faultOf(work: Promise<unknown>): Promise<EngineFault> {
  const error: unknown = await work.then(
    () => null,
    (reason: unknown) => reason,
  )
  if (!(error instanceof EngineFault)) throw new Error(`no EngineFault but ${String(error)}`)
  return error
}

/** A key whose value is undefined is taken out of the plain spec. */
export function leafWith(name: string, spec: { [Key in keyof Spec]?: Spec[Key] | undefined }): Leaf {
  const leaf = leafOf(name)
  const merged = Object.fromEntries(
    Object.entries({ ...leaf.spec, ...spec }).filter(([, value]) => value !== undefined),
  )
  const contents = new Map(Object.keys(spec.files ?? {}).map((path) => [path, Buffer.from(`content of ${path}\n`)]))
  const opened = spec.secrets === undefined ? {} : { secrets: openedSecrets(spec.secrets) }
  return { ...leaf, spec: merged as unknown as Spec, fileContents: contents, ...opened }
}
