// Name and prefix of a deployment, as they were at its first run on this host.

import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { dirname } from 'node:path'

import type { Problem } from '../desired/problem.ts'
import type { Tree } from '../desired/tree.ts'

export interface Bound {
  readonly name: string
  readonly prefix: string
}

export interface Binding {
  /** What is wrong with a tree of another name or prefix; null where nothing is. */
  problem(tree: Tree): Promise<Problem | null>
  keep(tree: Tree): Promise<void>
  load(): Promise<Bound | null>
  forget(): Promise<void>
}

/** Name and prefix are bound at the first run: another one would leave everything that runs behind. */
export function createBinding(file: string): Binding {
  let known: Bound | null | undefined
  async function load(): Promise<Bound | null> {
    if (known === undefined) {
      const text = await readFile(file, 'utf8').catch(() => null)
      known = text === null ? null : (JSON.parse(text) as Bound)
    }
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
      const beside = `${file}.new`
      await mkdir(dirname(file), { recursive: true, mode: 0o700 })
      const first = { name: tree.name, prefix: tree.prefix }
      await writeFile(beside, JSON.stringify(first))
      await rename(beside, file)
      known = first
    },
  }
}
