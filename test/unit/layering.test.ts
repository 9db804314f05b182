// The rooms and the direction in which they may look. Data flows from left to right; nothing looks back.

import { readdirSync, readFileSync, statSync } from 'node:fs'
import { join, posix, relative } from 'node:path'
import { fileURLToPath } from 'node:url'

import { describe, expect, it } from 'vitest'

const ROOMS = [
  'repository',
  'desired',
  'plan',
  'apply',
  'engine',
  'registry',
  'report',
  'forge',
  'daemon',
  'http',
  'cli',
  'demo',
] as const
const source = fileURLToPath(new URL('../../src', import.meta.url))

/** What a pure room may take from Node: nothing that knows a clock, a disk, a network or an environment. */
const PURE = new Map([
  ['desired', new Set(['node:crypto', 'node:path', 'node:path/posix'])],
  ['plan', new Set(['node:crypto', 'node:path', 'node:path/posix'])],
  ['report', new Set<string>()],
])
const IMPURE_WORDS = /\bDate\.now\(|\bnew Date\(\)|\bprocess\.|\bMath\.random\(|\bsetTimeout\(|\bfetch\(/

function filesBelow(folder: string): string[] {
  return readdirSync(folder).flatMap((name) => {
    const path = join(folder, name)
    if (statSync(path).isDirectory()) return filesBelow(path)
    return path.endsWith('.ts') ? [path] : []
  })
}

function importsOf(text: string): string[] {
  const found = [
    ...text.matchAll(/(?:^|\n)\s*(?:import|export)[^'"]*?from\s+'([^']+)'/g),
    ...text.matchAll(/import\('([^']+)'\)/g),
  ]
  return found.map((match) => match[1] ?? '')
}

const files = filesBelow(source).map((path) => {
  const name = relative(source, path)
  const text = readFileSync(path, 'utf8')
  return { name, text, room: name.split('/')[0] ?? '', imports: importsOf(text) }
})

describe('the rooms', () => {
  it('are these and no others', () => {
    const found = new Set(files.filter(({ name }) => name.includes('/')).map(({ room }) => room))
    expect([...found].toSorted()).toEqual([...ROOMS].toSorted())
  })

  it.each(ROOMS)('%s looks only at itself and to its left', (room) => {
    const right = new Set<string>(ROOMS.slice(ROOMS.indexOf(room) + 1))
    const wrong = files
      .filter((file) => file.room === room)
      .flatMap((file) => file.imports.filter((target) => target.startsWith('.')).map((target) => ({ file, target })))
      .map(({ file, target }) => `${file.name} → ${posix.normalize(posix.join(posix.dirname(file.name), target))}`)
      .filter((arrow) => right.has(arrow.split(' → ')[1]?.split('/')[0] ?? ''))
    expect(wrong).toEqual([])
  })

  it.each([...PURE.keys()])('%s is pure', (room) => {
    const allowed = PURE.get(room) ?? new Set()
    const wrong = files
      .filter((file) => file.room === room)
      .flatMap((file) => {
        const imports = file.imports.filter((target) => target.startsWith('node:') && !allowed.has(target))
        const words = file.text
          .split('\n')
          .filter((line) => !/^\s*(\/\/|\*|\/\*)/.test(line) && IMPURE_WORDS.test(line))
        return [...imports, ...words].map((found) => `${file.name}: ${found.trim()}`)
      })
    expect(wrong).toEqual([])
  })

  it('only engine knows the engine’s client, only repository knows Git’s', () => {
    const knows = (library: string) => files.filter(({ imports }) => imports.includes(library)).map(({ room }) => room)
    expect([...new Set(knows('dockerode'))].filter((room) => room !== 'demo')).toEqual(['engine'])
    expect([...new Set(knows('isomorphic-git'))]).toEqual(['repository'])
  })
})

describe('names', () => {
  it('say what a file is for', () => {
    const vague = files.filter(({ name }) => /(^|\/)(utils?|types|helpers?|common|misc|index)(\/|\.ts$)/.test(name))
    expect(vague.map(({ name }) => name)).toEqual([])
  })

  it('belong to files that one can read at a sitting', () => {
    const long = files.filter(({ text }) => text.split('\n').length > 300).map(({ name }) => name)
    expect(long).toEqual([])
  })
})
