// The ignore rules against `git check-ignore`.

import { mkdirSync, writeFileSync } from 'node:fs'
import fc from 'fast-check'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { isIgnored, parseIgnoreFile } from '../../../src/repository/ignore.ts'
import { makeRepository, openSandbox, type Sandbox } from './git-sandbox.ts'

let sandbox: Sandbox
beforeAll(() => {
  sandbox = openSandbox()
  makeRepository(sandbox, 'repo')
  mkdirSync(sandbox.path('repo/a'))
})
afterAll(() => sandbox.remove())

const PATHS = [
  'a',
  'b',
  'ab',
  'a.b',
  'a/b',
  'a/a',
  'a/ab',
  'a/b/a',
  'a/b/ab',
  'b/a',
  'b/b/b',
  'x y',
  '!a',
  '#a',
  'a/x ',
  '[a]',
  'a-b',
  'b]',
]

/** Git's own answer for paths that do not exist, so are taken for files. */
function byGit(rules: string, inner: string): string[] {
  writeFileSync(sandbox.path('repo/.gitignore'), rules)
  writeFileSync(sandbox.path('repo/a/.gitignore'), inner)
  try {
    const output = sandbox.gitWithInput('repo', PATHS.join('\0'), 'check-ignore', '--stdin', '-z', '--no-index')
    return output.split('\0').filter(Boolean).toSorted()
  } catch (error) {
    if (error instanceof Error && 'status' in error && error.status === 1) return []
    throw error
  }
}

function byUs(rules: string, inner: string): string[] {
  const files = [parseIgnoreFile('', rules), parseIgnoreFile('a/', inner)]
  return PATHS.filter((path) => {
    const parts = path.split('/')
    for (let at = 1; at < parts.length; at++) if (isIgnored(files, parts.slice(0, at).join('/'), true)) return true
    // `a` is a folder on the disk.
    return isIgnored(files, path, path === 'a')
  }).toSorted()
}

it.each([
  '*',
  'a',
  '/a',
  'a/',
  'a/b',
  '/b/',
  '*b',
  '*.b',
  '**/a',
  'a/**',
  'a/**/a',
  '**',
  'a/*',
  '?',
  '[ab]',
  '[!a]',
  '[^b]',
  '[a-b]b',
  'a[-.]b',
  '[]]',
  'b]',
  '\\!a',
  '\\#a',
  '# a',
  '!a',
  '*\n!a',
  '*\n!a/\n!a/b',
  'x y',
  'x\\ y',
  'a   ',
  'a/x\\ ',
  '[[:alpha:]]',
  '\\[a\\]',
  'a/\n!a/b',
  'b\r',
  '/**/b',
  'a**b',
  'a**/a',
  'a/b**',
  'a**/**',
  '**b',
  '[a',
  '\\',
  '/',
  'a/b/**',
])('%j ignores what it does for Git', (rules) => {
  expect(byUs(rules, '')).toEqual(byGit(rules, ''))
  expect(byUs('', rules)).toEqual(byGit('', rules))
})

it('agrees with Git on made-up rules', () => {
  const piece = fc.constantFrom('a', 'b', '*', '**', '?', '/', '[ab]', '!', '.', '[!b]')
  const line = fc.array(piece, { minLength: 1, maxLength: 6 }).map((pieces) => pieces.join(''))
  const file = fc.array(line, { maxLength: 4 }).map((lines) => lines.join('\n'))
  fc.assert(
    fc.property(file, file, (rules, inner) => {
      expect(byUs(rules, inner)).toEqual(byGit(rules, inner))
    }),
    { numRuns: 300 },
  )
}, 60_000)
