// Name and prefix of a deployment, as they were at its first run on this host.

import { mkdir, readFile, rm } from 'node:fs/promises'
import { dirname } from 'node:path'

import { z } from 'zod'

import type { Problem } from '../desired/problem.ts'
import type { Tree } from '../desired/tree.ts'
import { writeDurably } from '../repository/new-object.ts'
import { RepositoryFault } from '../repository/repository.ts'

const content = z.object({ name: z.string(), prefix: z.string() })

export type Bound = Readonly<z.infer<typeof content>>

export interface Binding {
  /** What is wrong with a tree of another name or prefix; null where nothing is. */
  problem(tree: Tree): Promise<Problem | null>
  keep(tree: Tree): Promise<void>
  load(): Promise<Bound | null>
  forget(): Promise<void>
}

/**
 * Name and prefix are bound at the first run: another one would leave everything that runs behind. Throws
 * RepositoryFault (`damaged`) for a file that does not read.
 */
export function createBinding(file: string): Binding {
  let known: Bound | null | undefined
  async function load(): Promise<Bound | null> {
    if (known === undefined) known = await read(file)
    return known
  }
  return {
    load,
    async forget() {
      await rm(file, { force: true })
      known = null
    },
    async problem(tree) {
      const first = await load()
      if (first === null || (first.name === tree.name && first.prefix === tree.prefix)) return null
      const [key, was, is] =
        first.name === tree.name ? ['prefix', first.prefix, tree.prefix] : ['name', first.name, tree.name]
      return {
        file: 'deployment.yaml',
        line: null,
        column: null,
        text: `${key}: ${is}`,
        message: `this deployment was started with ${key} "${was}" on this host, and that cannot change while its containers run`,
        remedy: `write ${key}: ${was}, or take down what runs: graft down`,
        leaf: null,
        severity: 'unreadable',
      }
    },
    async keep(tree) {
      if ((await load()) !== null) return
      await mkdir(dirname(file), { recursive: true, mode: 0o700 })
      const first = { name: tree.name, prefix: tree.prefix }
      writeDurably(file, Buffer.from(`${JSON.stringify(first)}\n`), 0o600)
      known = first
    },
  }
}

async function read(file: string): Promise<Bound | null> {
  let text: string
  try {
    text = await readFile(file, 'utf8')
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return null
    throw error
  }
  try {
    return content.parse(JSON.parse(text))
  } catch {
    const remedy = 'Delete it: graft then binds the name and the prefix that the newest commit has'
    throw new RepositoryFault('damaged', `${file} does not read`, remedy)
  }
}
