// Addresses of SSH, and the command line that is made of them: nothing in an address becomes an option, a command of the
// shell on the other side, or an answer to whether the host's key is right.

import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { readSshAddress } from '../../../src/repository/ssh-address.ts'
import { shellQuoted, sshArguments } from '../../../src/repository/ssh-command.ts'

let folder: string
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'graft-ssh-command-'))
})
afterAll(() => rmSync(folder, { recursive: true }))

const NOTHING = { keyFile: null, knownHostsFile: null }

describe('an address', () => {
  it.each([
    ['ssh://git@host/srv/a.git', { user: 'git', host: 'host', port: null, path: '/srv/a.git' }],
    ['ssh://host:2222/a', { user: null, host: 'host', port: 2222, path: '/a' }],
    ['ssh://ada.l+x@10.0.0.1/a%20b', { user: 'ada.l+x', host: '10.0.0.1', port: null, path: '/a b' }],
    ['ssh://git@[2001:db8::1]:22/a', { user: 'git', host: '2001:db8::1', port: 22, path: '/a' }],
    ['ssh://git@[fe80::1%25eth0]/a', { user: 'git', host: 'fe80::1%eth0', port: null, path: '/a' }],
    ['ssh://git@host/~ada/a.git', { user: 'git', host: 'host', port: null, path: '~ada/a.git' }],
    ['git@host:a/b.git', { user: 'git', host: 'host', port: null, path: 'a/b.git' }],
    ['git@host:/srv/a.git', { user: 'git', host: 'host', port: null, path: '/srv/a.git' }],
    ['git@host:~/a.git', { user: 'git', host: 'host', port: null, path: '~/a.git' }],
    ['git@[::1]:a.git', { user: 'git', host: '::1', port: null, path: 'a.git' }],
  ])('%s', (text, address) => {
    expect(readSshAddress(text)).toEqual(address)
  })

  it.each(['/srv/a', 'C:odd', 'https://git@host/a', 'a/b@c:d', './git@host:a', 'host:a'])('%s is none', (text) => {
    expect(readSshAddress(text)).toBeNull()
  })

  it.each([
    'ssh://-oProxyCommand=id/a',
    'ssh://-oProxyCommand=id@host/a',
    'ssh://git@-oProxyCommand=id/a',
    'ssh://%2DoProxyCommand=id/a',
    '-oProxyCommand=id@host:a',
    'git@-oProxyCommand=id:a',
    'git@host:-a',
    'git@host:',
    'ssh://git@host',
    'ssh://git@host/',
    'ssh://git@/a',
    'ssh://git@host:0/a',
    'ssh://git@host:65536/a',
    'ssh://git@host:x/a',
    'ssh://git@ho$(id)st/a',
    'ssh://git`id`@host/a',
    'ssh://git@host/a%0Ab',
    'ssh://git@[nothing]/a',
  ])('%s is refused', (text) => {
    expect(() => readSshAddress(text)).toThrow(expect.objectContaining({ kind: 'not-found' }))
  })

  it('with a password is refused, and the password not repeated', () => {
    expect(() => readSshAddress('ssh://ada:secret@host/a')).toThrow(
      expect.objectContaining({ kind: 'unsupported', message: expect.not.stringContaining('secret') }),
    )
  })
})

describe('the command line', () => {
  const address = { user: 'git', host: 'host', port: 2222, path: "/it's" }

  it('checks the host’s key, asks nobody and forwards nothing', () => {
    const args = sshArguments(address, NOTHING, 'git-upload-pack', 60_000)
    for (const option of [
      'StrictHostKeyChecking=yes',
      'BatchMode=yes',
      'ForwardAgent=no',
      'ClearAllForwardings=yes',
      'ControlPath=none',
    ])
      expect(args).toContain(option)
    expect(args.slice(-7)).toEqual(['-p', '2222', '-l', 'git', '--', 'host', `git-upload-pack '/it'\\''s'`])
  })

  it('uses the key and the known hosts that are named, and no others', () => {
    const [keyFile, knownHostsFile] = [join(folder, 'a key 100%'), join(folder, 'known')]
    writeFileSync(keyFile, '')
    writeFileSync(knownHostsFile, '')
    const args = sshArguments(address, { keyFile, knownHostsFile }, 'git-receive-pack', 60_000)
    expect(args).toContain(`IdentityFile="${folder}/a key 100%%"`)
    expect(args).toContain('IdentitiesOnly=yes')
    expect(args).toContain(`UserKnownHostsFile="${knownHostsFile}"`)
    expect(args).toContain('GlobalKnownHostsFile=/dev/null')
    expect(args).toContain('KnownHostsCommand=none')
    expect(args.indexOf('IgnoreUnknown=KnownHostsCommand')).toBeLessThan(args.indexOf('KnownHostsCommand=none'))
  })

  it('says which file cannot be read or named', () => {
    for (const keyFile of [join(folder, 'nowhere'), join(folder, 'a"b'), join(folder, '${HOME}')])
      expect(() => sshArguments(address, { ...NOTHING, keyFile }, 'git-upload-pack', 1000)).toThrow(
        expect.objectContaining({ kind: 'auth', message: expect.stringContaining(keyFile) }),
      )
  })

  it('gives the other side’s shell one word, whatever the path', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        fc.pre(!text.includes('\0') && !/[\ud800-\udfff]/.test(text))
        const said = execFileSync('sh', ['-c', `printf '%s|' ${shellQuoted(text)}`], { encoding: 'utf8' })
        expect(said).toBe(`${text}|`)
      }),
      { numRuns: 60 },
    )
  })
})
