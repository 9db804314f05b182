// Where a folder's branches are pushed to, compared with what native Git says of the same configuration.

import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { readConfig } from '../../../src/repository/git-config.ts'
import { folderRemote } from '../../../src/repository/folder-remote.ts'
import { whyNoBranch } from '../../../src/repository/branch-name.ts'
import { makeRepository, openSandbox, type Sandbox } from './git-sandbox.ts'
import { writeFileSync } from 'node:fs'

let sandbox: Sandbox
let before: string | undefined
beforeEach(() => {
  sandbox = openSandbox()
  makeRepository(sandbox, 'site')
  before = process.env['GIT_CONFIG_GLOBAL']
  process.env['GIT_CONFIG_GLOBAL'] = '/dev/null'
})
afterEach(() => {
  if (before === undefined) delete process.env['GIT_CONFIG_GLOBAL']
  else process.env['GIT_CONFIG_GLOBAL'] = before
  sandbox.remove()
})

const configured = (...args: string[]): void => void sandbox.git('site', 'config', '--add', ...args)
const found = () => folderRemote(sandbox.path('site', '.git', 'config'), sandbox.path('site'))

describe('the remote of a folder', () => {
  it.each<[string, readonly (readonly [string, string])[]]>([
    ['its address', [['remote.origin.url', 'https://host/a.git']]],
    [
      'an address to push to',
      [
        ['remote.origin.url', 'https://host/a.git'],
        ['remote.origin.pushurl', 'ssh://git@host/a.git'],
      ],
    ],
    [
      'a beginning that stands for another',
      [
        ['remote.origin.url', 'gh:ops/a.git'],
        ['url.https://github.example/.insteadOf', 'gh:'],
      ],
    ],
    [
      'the longest of several',
      [
        ['remote.origin.url', 'https://host/Ops/a.git'],
        ['url.https://one/.insteadOf', 'https://host/'],
        ['url.https://two/Path/.insteadOf', 'https://host/Ops/'],
      ],
    ],
    [
      'another beginning for pushes',
      [
        ['remote.origin.url', 'https://host/a.git'],
        ['url.https://fetched/.insteadOf', 'https://host/'],
        ['url.git@host:.pushInsteadOf', 'https://host/'],
      ],
    ],
    [
      'an address to push to, which pushInsteadOf leaves alone',
      [
        ['remote.origin.url', 'https://host/a.git'],
        ['remote.origin.pushurl', 'https://host/b.git'],
        ['url.git@host:.pushInsteadOf', 'https://host/'],
      ],
    ],
  ])('is %s', (_words, settings) => {
    for (const [key, value] of settings) configured(key, value)
    expect(found()).toMatchObject({ name: 'origin', url: sandbox.git('site', 'remote', 'get-url', '--push', 'origin') })
  })

  it('is the one that pushes go to by default, else origin, else the only one', () => {
    configured('remote.upstream.url', 'https://up/a')
    expect(found().name).toBe('upstream')
    configured('remote.other.url', '../other')
    expect(found).toThrow(
      expect.objectContaining({ kind: 'refused', message: expect.stringContaining('no remote origin') }),
    )
    configured('remote.pushDefault', 'other')
    expect(found()).toMatchObject({ name: 'other', url: sandbox.path('other') })
  })

  it('keeps credentials apart from the address', () => {
    configured('remote.origin.url', 'https://ada:secret@host/a.git')
    expect(found()).toMatchObject({ url: 'https://host/a.git', auth: { username: 'ada', password: 'secret' } })
  })

  it('is refused where there is none, or more than one address', () => {
    expect(found).toThrow(expect.objectContaining({ kind: 'refused', remedy: 'Add it: git remote add origin URL' }))
    configured('remote.origin.url', 'https://a/b')
    configured('remote.origin.url', 'https://c/d')
    expect(found).toThrow(expect.objectContaining({ kind: 'refused', remedy: 'Push with git push origin' }))
  })

  it('knows where its branches are kept', () => {
    sandbox.git('site', 'remote', 'add', 'origin', 'https://host/a.git')
    expect(found().tracking('refs/heads/a/b')).toBe('refs/remotes/origin/a/b')
    sandbox.git('site', 'config', '--unset', 'remote.origin.fetch')
    expect(found().tracking('refs/heads/a')).toBeNull()
  })
})

it('reads a configuration as Git does', () => {
  const text = [
    '\ufeff[user] name = Ann # comment',
    '\temail = "ann # no comment" ; comment',
    '[remote "Ori\\"gin"]',
    '  url = a\\tb \\',
    '  c',
    '[Core.Sub]',
    'bare',
    'empty =',
    '[alias]',
    'x = "!f() { echo \\"a;b\\"; }; f"   ',
    'not a line !',
  ].join('\r\n')
  expect(readConfig(text.replaceAll('\r\n', '\n'))).toEqual(readConfig(text))
  writeFileSync(sandbox.path('config'), text.replaceAll('\r\n', '\n').replace('not a line !', ''))
  const native = sandbox
    .git('', 'config', '--file', sandbox.path('config'), '--list', '--null')
    .split('\0')
    .filter((entry) => entry !== '')
  const mine = readConfig(text).map(
    ({ section, subsection, name, value }) =>
      `${[section, ...(subsection === null ? [] : [subsection]), name].join('.')}\n${value}`,
  )
  expect(mine).toEqual(native.map((entry) => (entry.includes('\n') ? entry : `${entry}\ntrue`)))
})

it('knows which names a branch may have, as Git does', () => {
  const names = [
    'main',
    'bump/nova-8',
    'a.b',
    'ü',
    'a@b',
    'a b',
    '-a',
    '.a',
    'a/.b',
    'a.lock',
    'a/b.lock/c',
    'a..b',
    'a~1',
    'a^',
    'a:b',
    'a?',
    'a*',
    'a[',
    'a\\b',
    'a//b',
    '/a',
    'a/',
    'a.',
    'a@{1}',
    'HEAD',
    '',
    'a\tb',
  ]
  for (const name of names) {
    const native = ((): boolean => {
      try {
        sandbox.git('site', 'branch', '--', name)
        return true
      } catch (error) {
        // Only the form of the name is in question here.
        return !/not a valid branch name/.test(String(error)) && name !== ''
      }
    })()
    expect([name, whyNoBranch(name) === null]).toEqual([name, native])
  }
})
