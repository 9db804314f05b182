// The client of registries against a real one: pages, indexes, labels, a password, and tokens of a server that gives them.

import { execFileSync } from 'node:child_process'
import { copyFile, mkdir, mkdtemp, readFile, rm } from 'node:fs/promises'
import { createServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { EngineFault } from '../../../src/apply/engine.ts'
import { registryAccount, startRegistry, type Registry as Running } from '../../../src/demo/registry.ts'
import { parseReference, type ImageReference } from '../../../src/desired/image-reference.ts'
import type { RegistryCredentials } from '../../../src/engine/registry-credentials.ts'
import { createRegistry, type RegistryOptions } from '../../../src/registry/registry.ts'
import { pushImage } from './push-image.ts'
import { startTokenServer, type RunningTokenServer } from './token-server.ts'

let folder: string
let open: Running
let locked: Running
let tokens: RunningTokenServer
let tokened: Running

const basic = `Basic ${Buffer.from(`${registryAccount.username}:${registryAccount.password}`).toString('base64')}`
const known = (password: string) => (registry: string) =>
  Promise.resolve<RegistryCredentials>({
    auth: { serveraddress: registry, username: registryAccount.username, password },
    owner: 'user graft from a file',
  })
const nobody = () => Promise.resolve(null)

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'graft-ask-registry-'))
  tokens = await startTokenServer(folder)
  open = await startRegistry({ folder: join(folder, 'open') })
  locked = await startRegistry({ folder: join(folder, 'locked'), withPassword: true })
  tokened = await startRegistry({ folder: join(folder, 'tokened'), tokens: tokens.facts })
})

afterAll(async () => {
  await Promise.all([open.stop(), locked.stop(), tokened.stop(), tokens.stop()])
  await rm(folder, { recursive: true })
})

async function asking<Result>(
  options: Partial<RegistryOptions>,
  work: (registry: ReturnType<typeof createRegistry>) => Promise<Result>,
): Promise<Result> {
  const registry = createRegistry({ credentials: nobody, insecure: [], env: {}, ...options })
  try {
    return await work(registry)
  } finally {
    await registry.close()
  }
}

function image({ address }: Running, rest: string): ImageReference {
  const reference = parseReference(`${address}/${rest}`)
  if (reference === null) throw new Error('no reference')
  return reference
}

async function faultOf(work: Promise<unknown>): Promise<EngineFault> {
  const error = await work.then(
    () => new Error('nothing was thrown'),
    (thrown: unknown) => thrown,
  )
  if (error instanceof EngineFault) return error
  throw error
}

test('tags come page by page, each once', async () => {
  const wanted = ['1.0', '1.1', '1.2', '1.3', '1.4', 'latest']
  for (const tag of wanted) await pushImage(open.url, 'team/app', tag)
  for (const pageSize of [1, 2, 4, 6, 100]) {
    const found = await asking({ pageSize }, (registry) => registry.tags(image(open, 'team/app:1.0')))
    expect(found.toSorted()).toEqual(wanted)
  }
})

test('a digest is that of the index, and labels are those of an image in it', async () => {
  const labels = { 'org.opencontainers.image.version': '2.0', 'org.opencontainers.image.revision': 'abc' }
  const platforms = ['linux/arm64', 'linux/amd64']
  const digest = await pushImage(open.url, 'team/many', '2.0', { labels, platforms })
  const single = await pushImage(open.url, 'team/many', '1.0', { labels: { plain: 'yes' } })
  await asking({}, async (registry) => {
    expect(await registry.digest(image(open, 'team/many:2.0'))).toBe(digest)
    expect(await registry.describe(image(open, 'team/many:2.0'), 'linux/arm64')).toEqual({ digest, platforms, labels })
    expect(await registry.describe(image(open, `team/many:1.0@${single}`), null)).toEqual({
      digest: single,
      platforms: [],
      labels: { plain: 'yes' },
    })
    expect(await registry.digest(image(open, `team/many@${digest}`))).toBe(digest)
  })
})

test('what is not there is named', async () => {
  await asking({}, async (registry) => {
    expect((await faultOf(registry.tags(image(open, 'team/nothing:1')))).message).toContain(
      `${open.address} has no image team/nothing`,
    )
    expect((await faultOf(registry.digest(image(open, 'team/app:9')))).message).toBe(
      `${open.address} has no image team/app:9`,
    )
  })
})

test('a password is asked for and given', async () => {
  await pushImage(locked.url, 'team/app', '1.0', {}, basic)
  const wanted = image(locked, 'team/app:1.0')
  await asking({ credentials: known(registryAccount.password) }, async (registry) => {
    expect(await registry.tags(wanted)).toEqual(['1.0'])
  })
  const wrong = await asking({ credentials: known('wrong-word') }, (registry) => faultOf(registry.tags(wanted)))
  expect(wrong.message).toBe(
    `${locked.address} refused team/app (authentication required); tried with user graft from a file`,
  )
  const none = await asking({}, (registry) => faultOf(registry.tags(wanted)))
  expect(none.message).toContain(`tried with no credentials, as Docker knows none for ${locked.address}`)
})

test('a token is fetched for each repository, with the password, and used again', async () => {
  const scope = (name: string) => `repository:${name}:pull,push`
  const tokenFor = async (name: string): Promise<string> => {
    const url = `${tokens.facts.realm}?service=${tokens.facts.service}&scope=${scope(name)}`
    const answer = (await (await fetch(url, { headers: { authorization: basic } })).json()) as { token: string }
    return `Bearer ${answer.token}`
  }
  for (const name of ['team/a', 'team/b']) await pushImage(tokened.url, name, '1.0', {}, await tokenFor(name))
  tokens.asked.length = 0
  await asking({ credentials: known(registryAccount.password) }, async (registry) => {
    expect(await registry.tags(image(tokened, 'team/a:1.0'))).toEqual(['1.0'])
    expect(await registry.digest(image(tokened, 'team/a:1.0'))).toMatch(/^sha256:/)
    expect(await registry.tags(image(tokened, 'team/b:1.0'))).toEqual(['1.0'])
  })
  expect(tokens.asked).toEqual(['repository:team/a:pull', 'repository:team/b:pull'])

  const wrong = await asking({ credentials: known('wrong-word') }, (registry) =>
    faultOf(registry.tags(image(tokened, 'team/a:1.0'))),
  )
  expect(wrong.message).toMatch(
    /gave no token for .*team\/a \(401, incorrect username or password\); tried with user graft/,
  )
  expect(`${wrong.message}${wrong.remedy}`).not.toContain('wrong-word')
})

test('a certificate is trusted where Docker trusts its authority for that registry, and nowhere else', async () => {
  const [key, certificate] = [join(folder, 'tls.key'), join(folder, 'tls.crt')]
  const wish = 'req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=graft-test'
  const names = ['-addext', 'subjectAltName=IP:127.0.0.1']
  execFileSync('openssl', [...wish.split(' '), ...names, '-keyout', key, '-out', certificate], { stdio: 'ignore' })
  const server = createServer({ key: await readFile(key), cert: await readFile(certificate) }, (_request, response) => {
    response.end('{"tags":["1.0"]}')
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const registry = `127.0.0.1:${(server.address() as AddressInfo).port}`
  const wanted = { ...image(open, 'team/app:1.0'), registry }
  const certificates = join(folder, 'certs.d')
  const fault = await asking({ certificates }, (client) => faultOf(client.tags(wanted)))
  expect(fault.message).toMatch(
    new RegExp(`^the certificate of ${registry} is not trusted \\(DEPTH_ZERO_SELF_SIGNED_CERT\\)$`),
  )
  await mkdir(join(certificates, registry), { recursive: true })
  await copyFile(certificate, join(certificates, registry, 'ca.crt'))
  expect(await asking({ certificates }, (client) => client.tags(wanted))).toEqual(['1.0'])
  await new Promise((resolve) => server.close(resolve))
})
