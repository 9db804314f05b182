// The set that a person means by a path or a name.

import { nearest } from '../desired/nearest.ts'
import type { ContainerSet, Tree } from '../desired/tree.ts'

/** What a person typed that cannot be done, and what would be right. */
export interface Misnamed {
  readonly message: string
  readonly remedy: string
}

/** By its path, else by its name where only one set has it; the root by `.` or the deployment's name. */
export function namedSet(tree: Tree, asked: string): ContainerSet | Misnamed | null {
  const wanted = asked.replace(/^\.\//, '').replace(/\/+$/, '')
  if (wanted === '.' || wanted === '') return tree.root
  const sets = setsIn(tree.root)
  const exact = sets.find(({ path }) => path === wanted)
  if (exact !== undefined) return exact
  const named = sets.filter(({ name }) => name === wanted)
  if (named.length < 2) return named[0] ?? null
  const paths = named.map(({ path }) => path).join(', ')
  return { message: `more than one set has the name ${wanted}`, remedy: `write its path: ${paths}` }
}

/** What to say where nothing has that name. `nouns`: `no leaf and no set`, `no set`. */
export function nothingNamed(tree: Tree, asked: string, nouns: string, names: readonly string[]): Misnamed {
  const close = nearest(asked, names)
  const message = `${tree.name} has ${nouns} ${asked}`
  return { message, remedy: close === null ? 'graft status shows what there is' : `did you mean ${close}?` }
}

/** The names by which sets can be meant. */
export function setNames(tree: Tree): string[] {
  return setsIn(tree.root).flatMap(({ path, name }) => (path === '' || path === name ? [name] : [path, name]))
}

export function isMisnamed(found: object | null): found is Misnamed {
  return found !== null && 'remedy' in found
}

/** Every leaf in the set and in the sets inside it. */
export function leavesIn(set: ContainerSet): string[] {
  return [...set.leaves, ...set.sets.flatMap(leavesIn)]
}

/** The set and all sets inside it. */
export function setsIn(set: ContainerSet): ContainerSet[] {
  return [set, ...set.sets.flatMap(setsIn)]
}
