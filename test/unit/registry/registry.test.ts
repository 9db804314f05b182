// The client of registries against servers that limit, hang, redirect, lie and repeat themselves.

import { createHash } from 'node:crypto'
import { createServer } from 'node:net'
import type { AddressInfo } from 'node:net'
import { expect, test } from 'vitest'
import { EngineFault } from '../../../src/apply/engine.ts'
import type { ImageReference } from '../../../src/desired/image-reference.ts'
import { parseReference } from '../../../src/desired/image-reference.ts'
import { createRegistry } from '../../../src/registry/registry.ts'
import { json, serve } from './http-server.ts'

const QUICK = { attemptMs: 2000, waitMs: 3000 }

function image(address: string, rest = 'team/app:1.0'): ImageReference {
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

test('a limit of rate is waited for as long as the registry says', async () => {
  const times: number[] = []
  const { address, registry } = await serve((_request, response) => {
    times.push(performance.now())
    if (times.length === 1) json(response, 429, {}, { 'retry-after': '1' })
    else if (times.length === 2) json(response, 503, {}, { 'retry-after': '0' })
    else json(response, 200, { tags: ['1.0'] })
  })
  expect(await registry.tags(image(address))).toEqual(['1.0'])
  expect((times[1] ?? 0) - (times[0] ?? 0)).toBeGreaterThan(950)
  expect((times[2] ?? 0) - (times[1] ?? 0)).toBeLessThan(500)
})

test('a longer rest than graft waits for is told, without waiting', async () => {
  const { address, registry, asked } = await serve((_request, response) =>
    json(response, 429, { errors: [{ code: 'TOOMANYREQUESTS', message: 'slow down' }] }, { 'retry-after': '21600' }),
  )
  const begun = performance.now()
  const fault = await faultOf(registry.tags(image(address)))
  expect(fault.kind).toBe('registry')
  expect(fault.message).toBe(`${address} limits how often it is asked, and wants 360 min of rest`)
  expect(asked).toHaveLength(1)
  expect(performance.now() - begun).toBeLessThan(2000)
})

test('a registry that hangs, in the middle of a body or before it, ends in a fault', async () => {
  const before = await serve(() => undefined, { patience: { attemptMs: 400, waitMs: 0 } })
  expect((await faultOf(before.registry.tags(image(before.address)))).message).toBe(
    `${before.address} did not answer in time`,
  )
  const within = await serve((_request, response) => void response.write('{"tags":['), {
    patience: { attemptMs: 400, waitMs: 0 },
  })
  expect((await faultOf(within.registry.tags(image(within.address)))).message).toBe(
    `${within.address} did not answer in time`,
  )
  const silent = createServer(() => undefined)
  await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve))
  const address = `127.0.0.1:${(silent.address() as AddressInfo).port}`
  const registry = createRegistry({
    credentials: () => Promise.resolve(null),
    insecure: [],
    env: {},
    patience: { attemptMs: 400, waitMs: 0 },
  })
  expect((await faultOf(registry.tags(image(address)))).message).toBe(`${address} did not answer in time`)
  await registry.close()
  silent.close()
})

test('the signal ends it, waiting or asking, with its own reason', async () => {
  const { address, registry } = await serve((_request, response) => json(response, 429, {}, { 'retry-after': '2' }))
  const controller = new AbortController()
  const reason = new Error('enough')
  setTimeout(() => controller.abort(reason), 200)
  await expect(registry.tags(image(address), controller.signal)).rejects.toBe(reason)
})

test('pages are followed by their links, wherever those point, and never for ever', async () => {
  const good = await serve((request, response) => {
    const url = new URL(request.url ?? '', 'http://x')
    const last = Number(url.searchParams.get('last') ?? 0)
    const link =
      last < 2 ? { link: `<http://inner.example/v2/team/app/tags/list?n=1&last=${last + 1}>; rel="next"` } : {}
    json(response, 200, { name: 'team/app', tags: [`1.${last}`] }, link as Record<string, string>)
  })
  expect(await good.registry.tags(image(good.address))).toEqual(['1.0', '1.1', '1.2'])

  const round = await serve((_request, response) =>
    json(response, 200, { tags: ['1.0'] }, { link: '</v2/team/app/tags/list?last=1.0>; rel="next"' }),
  )
  expect((await faultOf(round.registry.tags(image(round.address)))).message).toContain('lists more tags')
  expect(round.asked.length).toBeLessThan(5)
})

test('a page size that a registry refuses is left to it', async () => {
  const { address, registry } = await serve((request, response) =>
    request.url?.includes('n=') === true
      ? json(response, 400, { errors: [{ code: 'PAGINATION_NUMBER_INVALID' }] })
      : json(response, 200, { tags: null }),
  )
  expect(await registry.tags(image(address))).toEqual([])
})

test('an answer without end, and one that is no list, are refused', async () => {
  const endless = await serve((_request, response) => {
    const pour = (): void => {
      while (response.write(Buffer.alloc(1 << 20, 'x')));
      response.once('drain', pour)
    }
    pour()
  })
  expect((await faultOf(endless.registry.tags(image(endless.address)))).message).toContain('more than 8 MiB')
  const page = await serve((_request, response) => response.end('<html>Sign in\u001b[31m here</html>'))
  expect((await faultOf(page.registry.tags(image(page.address)))).message).toBe(
    `${page.address} did not give the tags of team/app (200, no list: <html>Sign in [31m here</html>)`,
  )
})

test('the configuration may lie in a store elsewhere, which gets no credentials', async () => {
  const seen: (string | undefined)[] = []
  const store = await serve((request, response) => {
    seen.push(request.headers.authorization)
    json(response, 200, { config: { Labels: { 'org.opencontainers.image.version': '1.0' } } })
  })
  const manifest = JSON.stringify({ config: { digest: `sha256:${'a'.repeat(64)}` } })
  const front = await serve(
    (request, response) => {
      if (request.headers.authorization === undefined) {
        json(response, 401, {}, { 'www-authenticate': 'Basic realm="x"' })
      } else if (request.url?.includes('/blobs/') === true) {
        response.writeHead(307, { location: `http://${store.address}/blob` }).end()
      } else response.end(manifest)
    },
    {
      credentials: (name) =>
        Promise.resolve({ auth: { serveraddress: name, username: 'ann', password: 'secret-word' }, owner: 'user ann' }),
    },
  )
  expect(await front.registry.describe(image(front.address), null)).toEqual({
    digest: `sha256:${createHash('sha256').update(manifest).digest('hex')}`,
    platforms: [],
    labels: { 'org.opencontainers.image.version': '1.0' },
  })
  expect(seen).toEqual([undefined])
})

test('whoever a redirect leads to cannot ask for the credentials', async () => {
  const thief = await serve((request, response) => {
    const realm = `Bearer realm="http://${request.headers.host}/token",service="s"`
    json(response, 401, {}, { 'www-authenticate': realm })
  })
  const front = await serve(
    (_request, response) => response.writeHead(302, { location: `http://${thief.address}/x` }).end(),
    {
      credentials: (name) =>
        Promise.resolve({ auth: { serveraddress: name, username: 'ann', password: 'secret-word' }, owner: 'user ann' }),
    },
  )
  expect((await faultOf(front.registry.tags(image(front.address)))).message).toContain('did not give the tags')
  expect(thief.asked).toEqual(['GET /x'])
})

test('a manifest that is not what its digest says is refused', async () => {
  const { address, registry } = await serve((_request, response) =>
    json(response, 200, { config: {} }, { 'docker-content-digest': `sha256:${'0'.repeat(64)}` }),
  )
  expect((await faultOf(registry.describe(image(address), null))).message).toContain('than its digest says')
})

test('a digest comes from the body where no header has it', async () => {
  const body = '{"config":{}}'
  const { address, registry, asked } = await serve((request, response) => {
    response.end(request.method === 'HEAD' ? undefined : body)
  })
  expect(await registry.digest(image(address))).toBe(`sha256:${createHash('sha256').update(body).digest('hex')}`)
  expect(asked).toEqual(['HEAD /v2/team/app/manifests/1.0', 'GET /v2/team/app/manifests/1.0'])
})

test('a refusal says whose credentials were tried, and never which', async () => {
  const { address, registry } = await serve(
    (_request, response) =>
      json(response, 401, { errors: [{ message: 'who are you' }] }, { 'www-authenticate': 'Basic realm="x"' }),
    {
      credentials: (name) =>
        Promise.resolve({
          auth: { serveraddress: name, username: 'ann', password: 'secret-word' },
          owner: 'user ann from a file',
        }),
    },
  )
  const fault = await faultOf(registry.tags(image(address)))
  expect(fault.message).toBe(`${address} refused team/app (who are you); tried with user ann from a file`)
  expect(`${fault.message}${fault.remedy}`).not.toContain('secret-word')
})

test('a token server is asked over plain HTTP only where the registry is, and its refusal is told', async () => {
  let realm = 'ftp://elsewhere/token'
  const { address, registry, asked } = await serve((request, response) => {
    if (request.url?.startsWith('/token') === true) json(response, 403, { details: 'no such account' })
    else
      json(
        response,
        401,
        {},
        { 'www-authenticate': `Bearer realm="${realm}",service="s",scope="repository:team/app:pull"` },
      )
  })
  expect((await faultOf(registry.tags(image(address)))).message).toContain('names no token server that can be asked')
  realm = `http://${address}/token`
  const fault = await faultOf(registry.tags(image(address)))
  expect(fault.message).toBe(
    `${address} gave no token for ${address}/team/app (403, no such account); tried with no credentials`,
  )
  expect(asked.at(-1)).toBe('GET /token?service=s&scope=repository%3Ateam%2Fapp%3Apull')
})

test('an identity token is exchanged by a form, and each token used until it ends', async () => {
  const forms: string[] = []
  let tokens = 0
  const { address, registry } = await serve(
    (request, response) => {
      if (request.url?.startsWith('/token') === true) {
        let form = ''
        request.on('data', (chunk) => (form += String(chunk)))
        request.on('end', () => {
          forms.push(form)
          json(response, 200, { access_token: `t${++tokens}`, expires_in: 300 })
        })
      } else if (request.headers.authorization === 'Bearer t1') json(response, 200, { tags: ['1.0'] })
      else
        json(
          response,
          401,
          {},
          { 'www-authenticate': `Bearer realm="http://${request.headers.host}/token",service="s"` },
        )
    },
    {
      credentials: (name) => Promise.resolve({ auth: { serveraddress: name, identitytoken: 'id' }, owner: 'a token' }),
    },
  )
  expect(await registry.tags(image(address))).toEqual(['1.0'])
  expect(await registry.tags(image(address))).toEqual(['1.0'])
  expect(forms).toEqual([
    'grant_type=refresh_token&client_id=graft&service=s&scope=repository%3Ateam%2Fapp%3Apull&refresh_token=id',
  ])
})

test('a registry that is not there is named', async () => {
  const registry = createRegistry({ credentials: () => Promise.resolve(null), insecure: [], env: {}, patience: QUICK })
  const gone = await serve(() => undefined)
  const { address } = gone
  await gone.registry.close()
  const nowhere = await faultOf(registry.tags(image('registry.graft.invalid')))
  expect(nowhere.message).toMatch(/^the name registry\.graft\.invalid cannot be resolved$/)
  const closed = createServer()
  await new Promise<void>((resolve) => closed.listen(0, '127.0.0.1', resolve))
  const { port } = closed.address() as AddressInfo
  await new Promise((resolve) => closed.close(resolve))
  expect((await faultOf(registry.tags(image(`127.0.0.1:${port}`)))).message).toBe(
    `127.0.0.1:${port} cannot be connected to (connection refused)`,
  )
  expect(address).not.toBe('')
  await registry.close()
})

test('elsewhere plain HTTP is for registries that are named as insecure', async () => {
  const served = await serve((_request, response) => json(response, 200, { tags: ['1'] }))
  const { port } = new URL(`http://${served.address}`)
  // A name of this machine that does not look like one.
  const host = `2130706433:${port}`
  const options = { credentials: () => Promise.resolve(null), env: {}, patience: QUICK }
  const strict = createRegistry({ ...options, insecure: [] })
  expect((await faultOf(strict.tags({ ...image(served.address), registry: host }))).message).toContain(
    'speaks plain HTTP',
  )
  await strict.close()
  const lax = createRegistry({ ...options, insecure: ['2130706433'] })
  expect(await lax.tags({ ...image(served.address), registry: host })).toEqual(['1'])
  await lax.close()
})
