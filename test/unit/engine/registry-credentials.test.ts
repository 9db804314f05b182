// Docker's configuration file and credential helpers, real files and real programs.

import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { askCredentialHelper } from '../../../src/engine/credential-helper.ts'
import { registryCredentials } from '../../../src/engine/registry-credentials.ts'

let folder: string
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'graft-credentials-'))
  vi.stubEnv('PATH', `${folder}${delimiter}${process.env['PATH']}`)
})
afterEach(async () => {
  vi.unstubAllEnvs()
  await rm(folder, { recursive: true })
})

const config = (value: unknown) =>
  writeFile(join(folder, 'config.json'), typeof value === 'string' ? value : JSON.stringify(value))
const base64 = (text: string) => Buffer.from(text).toString('base64')

async function helper(name: string, script: string): Promise<void> {
  const file = join(folder, `docker-credential-${name}`)
  await writeFile(file, `#!/bin/sh\n${script}\n`)
  await chmod(file, 0o755)
}

test('nothing known is null: no folder, no file, an empty file, another registry', async () => {
  expect(await registryCredentials(join(folder, 'nowhere'), 'quay.io')).toBeNull()
  expect(await registryCredentials(folder, 'quay.io')).toBeNull()
  await config({})
  expect(await registryCredentials(folder, 'quay.io')).toBeNull()
  await config({ auths: { 'quay.io:8443': { auth: base64('a:b') }, 'quay.io': {} } })
  expect(await registryCredentials(folder, 'quay.io')).toBeNull()
})

test.each([
  ['quay.io', 'quay.io', 'quay.io'],
  ['https://quay.io/v1/', 'quay.io', 'quay.io'],
  ['127.0.0.1:5000', '127.0.0.1:5000', '127.0.0.1:5000'],
  ['https://index.docker.io/v1/', 'docker.io', 'https://index.docker.io/v1/'],
  ['docker.io', 'docker.io', 'https://index.docker.io/v1/'],
])('the entry %s is for %s', async (key, registry, serveraddress) => {
  await config({ auths: { [key]: { auth: base64('ann:p:w') } } })
  expect(await registryCredentials(folder, registry)).toEqual({
    auth: { serveraddress, username: 'ann', password: 'p:w' },
    owner: `user ann from ${join(folder, 'config.json')}`,
  })
})

test('tokens and plain fields are served', async () => {
  await config({
    auths: {
      'a.io': { auth: base64('ann:'), identitytoken: 'T' },
      'b.io': { username: 'bob', password: 'x' },
      'c.io': { registrytoken: 'R' },
    },
  })
  expect((await registryCredentials(folder, 'a.io'))?.auth).toEqual({ serveraddress: 'a.io', identitytoken: 'T' })
  expect((await registryCredentials(folder, 'b.io'))?.auth).toEqual({
    serveraddress: 'b.io',
    username: 'bob',
    password: 'x',
  })
  expect((await registryCredentials(folder, 'c.io'))?.auth).toEqual({ serveraddress: 'c.io', registrytoken: 'R' })
})

test('a broken file says which and what, never the secret', async () => {
  await config('{')
  await expect(registryCredentials(folder, 'quay.io')).rejects.toMatchObject({
    kind: 'registry',
    message: `Docker's configuration file ${join(folder, 'config.json')} is not valid JSON`,
  })
  await config({ auths: { 'quay.io': { auth: base64('secret-without-user') } } })
  const fault = await registryCredentials(folder, 'quay.io').catch((error: unknown) => error)
  expect(fault).toMatchObject({
    message: expect.stringContaining('"auth" for quay.io that is not base64 of user:password'),
  })
  expect(String(fault)).not.toContain('secret')
})

test('a registry’s own helper comes before the common store, and both before the file', async () => {
  await helper(
    'own',
    `read server; echo "{\\"ServerURL\\":\\"$server\\",\\"Username\\":\\"own\\",\\"Secret\\":\\"$1 $server\\"}"`,
  )
  await helper('store', `read server; echo "{\\"Username\\":\\"<token>\\",\\"Secret\\":\\"T $server\\"}"`)
  await config({
    credHelpers: { 'quay.io': 'own' },
    credsStore: 'store',
    auths: { 'quay.io': { auth: base64('a:b') } },
  })
  expect(await registryCredentials(folder, 'quay.io')).toEqual({
    auth: { serveraddress: 'quay.io', username: 'own', password: 'get quay.io' },
    owner: 'user own from docker-credential-own',
  })
  expect(await registryCredentials(folder, 'docker.io')).toEqual({
    auth: { serveraddress: 'https://index.docker.io/v1/', identitytoken: 'T https://index.docker.io/v1/' },
    owner: 'a token from docker-credential-store',
  })
})

test('a helper that knows none leaves it to the file', async () => {
  await helper('empty', 'echo "credentials not found in native keychain"; exit 1')
  await config({ credsStore: 'empty', auths: { 'quay.io': { auth: base64('ann:pw') } } })
  expect((await registryCredentials(folder, 'quay.io'))?.owner).toContain('user ann')
  expect(await registryCredentials(folder, 'ghcr.io')).toBeNull()
})

test('a helper that is missing, fails, answers nonsense, hangs or is no name is said', async () => {
  const messageOf = async (name: string, timeout?: number) => {
    const fault: unknown = await askCredentialHelper(name, 'quay.io', timeout).catch((error: unknown) => error)
    expect(fault).toMatchObject({ kind: 'registry' })
    return fault instanceof Error ? fault.message : ''
  }
  expect(await messageOf('gone')).toBe('the credential helper docker-credential-gone is not installed')
  await helper('bad', 'echo "the vault is sealed"; exit 3')
  expect(await messageOf('bad')).toMatch(/failed with exit 3 for quay.io: the vault is sealed$/)
  await helper('odd', 'echo hello')
  expect(await messageOf('odd')).toMatch(/gave no readable answer for quay.io$/)
  await helper('slow', 'sleep 30')
  expect(await messageOf('slow', 200)).toMatch(/did not answer for quay.io within 0.2 s$/)
  expect(await messageOf('../../bin/sh')).toMatch(/has a name that cannot be a program$/)
})
