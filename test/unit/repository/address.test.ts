// Addresses of repositories, and that a password in one never stays there.

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import {
  describe as inWords,
  hostOf,
  isRemoteAddress,
  readAddress,
  readFolder,
} from '../../../src/repository/address.ts'
import { authorization } from '../../../src/repository/credentials.ts'

it.each([
  ['https://host/a.git', 'https://host/a.git'],
  ['https://host/a.git/', 'https://host/a.git'],
  ['HTTP://Host:8080/a?x=1#y', 'http://host:8080/a'],
])('%s is a remote', (repo, url) => {
  expect(readAddress(repo)).toEqual({ kind: 'remote', url, auth: {} })
})

it('takes credentials out of a URL', () => {
  expect(readAddress('https://ada:p%40ss%2F@host/a.git')).toEqual({
    kind: 'remote',
    url: 'https://host/a.git',
    auth: { username: 'ada', password: 'p@ss/' },
  })
  expect(readAddress('https://token@host/a.git')).toMatchObject({
    url: 'https://host/a.git',
    auth: { username: 'token' },
  })
})

it('does not repeat a URL that does not read', () => {
  expect(() => readAddress('https://ada:secret@ho st/')).toThrow(
    expect.objectContaining({ message: expect.not.stringContaining('secret') }),
  )
})

it.each(['git://host/a.git', 'ftp://host/a'])('%s is not served', (repo) => {
  expect(() => readAddress(repo)).toThrow(expect.objectContaining({ kind: 'unsupported' }))
  expect(isRemoteAddress(repo)).toBe(true)
})

it.each([
  ['ssh://git@host/a.git/', 'ssh://git@host/a.git', 'host'],
  ['ssh://git@[::1]:2222/srv/a b', 'ssh://git@[::1]:2222/srv/a b', '[::1]:2222'],
  ['git@host.example:a/b.git', 'git@host.example:a/b.git', 'host.example'],
  ['git@[fe80::1]:/srv/a', 'git@[fe80::1]:/srv/a', '[fe80::1]'],
  ['https://host:8443/a', 'https://host:8443/a', 'host:8443'],
])('%s is a remote', (repo, url, host) => {
  expect(readAddress(repo)).toEqual({ kind: 'remote', url, auth: {} })
  expect(isRemoteAddress(repo)).toBe(true)
  expect(hostOf(url)).toBe(host)
})

it.each([
  ['/srv/repo', '/srv/repo'],
  ['.', '.'],
  ['', '.'],
  ['file:///srv/my%20repo', '/srv/my repo'],
  ['C:odd', 'C:odd'],
])('%s is a folder', (repo, folder) => {
  expect(readAddress(repo)).toEqual({ kind: 'local', folder })
  expect(isRemoteAddress(repo)).toBe(false)
})

it('reads the folder inside', () => {
  expect(['', undefined, '/', './a//b/', 'a/b'].map(readFolder)).toEqual(['', '', '', 'a/b', 'a/b'])
  expect(() => readFolder('a/../..')).toThrow('leads out of the repository')
})

it('is told in few words', () => {
  expect(inWords('https://host/a.git', 'main', 'x/y')).toBe('https://host/a.git#main:x/y')
  expect(inWords('https://host/a.git', undefined, 'x')).toBe('https://host/a.git#:x')
  expect(inWords('/srv/a', undefined, '')).toBe('/srv/a')
})

it('makes a header of what was given, read anew from files', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'graft-credentials-'))
  const file = join(folder, 'token')
  const plain = async (given: Parameters<typeof authorization>[0]): Promise<string> =>
    Buffer.from((await authorization(given)).Authorization?.replace('Basic ', '') ?? '', 'base64').toString()
  try {
    writeFileSync(file, 'first\n')
    expect(await plain({ tokenFile: file })).toBe('x-access-token:first')
    writeFileSync(file, 'second')
    expect(await plain({ tokenFile: file, username: 'bot' })).toBe('bot:second')
    expect(await plain({ username: 'ada', passwordFile: file })).toBe('ada:second')
    expect(await plain({ username: 'ada', password: 'x' })).toBe('ada:x')
    expect(await plain({})).toBe('')
    await expect(plain({ passwordFile: join(folder, 'nowhere') })).rejects.toMatchObject({ kind: 'auth' })
  } finally {
    rmSync(folder, { recursive: true })
  }
})
