// A token server for docker-registry: the documented protocol (Distribution, "Token Authentication"), with one account.

import { execFileSync } from 'node:child_process'
import { createPrivateKey, sign, X509Certificate } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { registryAccount, type TokenServer } from '../../../src/demo/registry.ts'

export interface RunningTokenServer {
  /** For the registry's configuration. */
  readonly facts: TokenServer
  /** Scopes that tokens were asked for, in order. */
  readonly asked: (string | null)[]
  stop(): Promise<void>
}

/** Gives a token for what is asked to whoever knows the account's password, and to nobody else. */
export async function startTokenServer(folder: string): Promise<RunningTokenServer> {
  const [key, certificate] = [join(folder, 'tokens.key'), join(folder, 'tokens.crt')]
  const wish = 'req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=graft-test-tokens'
  execFileSync('openssl', [...wish.split(' '), '-keyout', key, '-out', certificate], { stdio: 'ignore' })
  const secret = createPrivateKey(readFileSync(key))
  const chain = [new X509Certificate(readFileSync(certificate)).raw.toString('base64')]
  const asked: (string | null)[] = []
  const expected = `Basic ${Buffer.from(`${registryAccount.username}:${registryAccount.password}`).toString('base64')}`
  const server = createServer((request, response) => {
    const url = new URL(request.url ?? '/', 'http://x')
    if (request.headers.authorization !== expected) {
      response.writeHead(401, { 'content-type': 'application/json' })
      response.end('{"details":"incorrect username or password"}')
      return
    }
    const scope = url.searchParams.get('scope')
    asked.push(scope)
    const [type = '', name = '', actions = ''] = scope?.split(':') ?? []
    const now = Math.floor(Date.now() / 1000)
    const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url')
    const claims = {
      iss: 'graft-test',
      sub: registryAccount.username,
      aud: url.searchParams.get('service'),
      exp: now + 120,
      nbf: now - 5,
      iat: now,
      jti: String(asked.length),
      access: scope === null ? [] : [{ type, name, actions: actions.split(',') }],
    }
    const text = `${part({ typ: 'JWT', alg: 'ES256', x5c: chain })}.${part(claims)}`
    const signature = sign('sha256', Buffer.from(text), { key: secret, dsaEncoding: 'ieee-p1363' }).toString(
      'base64url',
    )
    response.writeHead(200, { 'content-type': 'application/json' })
    response.end(JSON.stringify({ token: `${text}.${signature}`, expires_in: 120 }))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  return {
    facts: {
      realm: `http://127.0.0.1:${port}/token`,
      service: 'graft-test-registry',
      issuer: 'graft-test',
      rootcertbundle: certificate,
    },
    asked,
    stop: () => new Promise((resolve) => void server.close(() => resolve())),
  }
}
