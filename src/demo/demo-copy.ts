// What the demo changes in its copy of example-repo: at first the names under which it runs on this engine, then the
// generations that the story tells of. Every change is a change of text, as a person would make it.

import { readFile, readdir, writeFile } from 'node:fs/promises'
import { createHash } from 'node:crypto'
import { basename, join, relative } from 'node:path'

import { parse } from 'yaml'

import { createReader } from '../desired/read.ts'
import type { Tree } from '../desired/tree.ts'
import type { SnapshotEntry } from '../repository/snapshot.ts'
import { DemoFailure } from './demo-failure.ts'
import type { DemoNames } from './demo-place.ts'

export async function nameDeployment(folder: string, { deployment, prefix, subnet }: DemoNames): Promise<void> {
  const named = `name: ${deployment}\n${prefix === '' ? '' : `prefix: ${prefix}\n`}`
  await replaceOnce(join(folder, 'deployment.yaml'), [
    [/^name: .*\n/m, named],
    [/^( +control_subnet: ).*$/m, `$1${subnet}`],
  ])
}

/**
 * Lowers limits on open files that this engine may not grant: one without CAP_SYS_RESOURCE gives no more than it has.
 * Resolves to the leaves that were changed.
 */
export async function lowerOpenFiles(folder: string, most: number): Promise<readonly string[]> {
  const changed: string[] = []
  for (const path of await readdir(folder, { recursive: true })) {
    if (!path.endsWith('.yaml')) continue
    const text = await readFile(join(folder, path), 'utf8')
    const lowered = text.replace(/^( +nofile: )(\d+)$/m, (line, key: string, number: string) =>
      Number(number) > most ? `${key}${most}` : line,
    )
    if (lowered === text) continue
    await writeFile(join(folder, path), lowered)
    changed.push(basename(path, '.yaml'))
  }
  return changed
}

/** A leaf's file gets the next generation and another image. Resolves to the generation. */
export async function bump(file: string, image: string): Promise<number> {
  const generation = (await generationIn(file)) + 1
  await replaceOnce(file, [
    [/^generation: .*$/m, `generation: ${generation}`],
    [/^image: .*$/m, `image: ${image}`],
  ])
  return generation
}

async function generationIn(file: string): Promise<number> {
  return Number(/^generation: (\d+)/m.exec(await readFile(file, 'utf8'))?.[1])
}

async function replaceOnce(file: string, changes: readonly (readonly [RegExp, string])[]): Promise<void> {
  let text = await readFile(file, 'utf8')
  for (const [pattern, replacement] of changes) {
    if (!pattern.test(text)) throw new DemoFailure(`${file} has no line like ${pattern.source}`)
    text = text.replace(pattern, replacement)
  }
  await writeFile(file, text)
}

/** The examples that deployment.yaml gives for its host variables, as the host's own file. */
export async function exampleVariables(folder: string): Promise<string> {
  const document: unknown = parse(await readFile(join(folder, 'deployment.yaml'), 'utf8'))
  const declared = (document as { host_variables?: Record<string, { example?: unknown }> }).host_variables ?? {}
  const lines = Object.entries(declared).map(([name, { example }]) => `${name}: ${JSON.stringify(example)}`)
  return [
    "# This host's own values: the examples of deployment.yaml, as the stand-ins use none of them.",
    ...lines,
    '',
  ].join('\n')
}

/** The tree that lies in the folder. Throws DemoFailure with its problems. */
export async function readTree(folder: string): Promise<Tree> {
  const entries = new Map<string, SnapshotEntry>()
  for (const found of await readdir(folder, { recursive: true, withFileTypes: true })) {
    const file = join(found.parentPath, found.name)
    const path = relative(folder, file)
    if (!found.isFile() || path.startsWith('.git')) continue
    const content = await readFile(file)
    const oid = createHash('sha1').update(path).update(content).digest('hex')
    entries.set(path, { path, kind: 'file', oid, executable: false, size: content.length, content })
  }
  const { tree, problems } = createReader().read({ commit: null, entries }, { host: null })
  if (tree !== null) return tree
  throw new DemoFailure(
    'example-repo does not read',
    problems.map(({ file, line, message }) => `${file}:${line} ${message}`),
  )
}
