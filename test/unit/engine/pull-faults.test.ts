// An engine's words on a failed pull become a fault that a person can act on.

import { expect, test } from 'vitest'
import { pullFault } from '../../../src/engine/pull-faults.ts'

const NAME = 'quay.io/team/app:1.5'

// The words are those of Docker 20.10 to 28.5 and Podman.
test.each([
  [
    'manifest for quay.io/team/app:1.5 not found: manifest unknown: manifest unknown',
    'quay.io has no image team/app:1.5 (manifest unknown)',
  ],
  [
    'repository quay.io/team/app not found: name unknown: repository name not known to registry',
    'quay.io has no image team/app:1.5 (repository name not known to registry)',
  ],
  [
    "pull access denied for quay.io/team/app, repository does not exist or may require 'docker login': denied: requested access to the resource is denied",
    'quay.io refused team/app:1.5',
  ],
  [
    'Head "https://quay.io/v2/team/app/manifests/1.5": unauthorized: incorrect username or password',
    'tried with user ann from /c',
  ],
  ['Head "https://quay.io/v2/team/app/manifests/1.5": no basic auth credentials', 'quay.io refused team/app:1.5'],
  [
    'toomanyrequests: You have reached your pull rate limit. You may increase the limit by authenticating',
    'quay.io limits the rate of pulls',
  ],
  ['received unexpected HTTP status: 429 Too Many Requests', 'quay.io limits the rate of pulls'],
  [
    'manifest verification failed for digest sha256:84ba8a3ef0e2cabacd9486eee1a8597ee0e72867edfdf6591ac6e2e7789f50df',
    'quay.io sent something else than team/app:1.5 by its digest (manifest verification failed',
  ],
  ['filesystem layer verification failed for digest sha256:84ba', 'quay.io sent something else than team/app:1.5'],
  [
    'error pulling image configuration: image config verification failed for digest sha256:84ba',
    'quay.io sent something else than team/app:1.5',
  ],
  [
    'Get "https://quay.io/v2/": dial tcp 1.2.3.4:443: connect: connection refused',
    'the engine cannot connect to quay.io (connection refused)',
  ],
  [
    'Get "https://quay.io/v2/": dial tcp: lookup quay.io on 127.0.0.53:53: no such host',
    'the engine cannot resolve the name quay.io',
  ],
  [
    'Get "https://quay.io/v2/": dial tcp: lookup quay.io: Temporary failure in name resolution',
    'the engine cannot resolve the name quay.io',
  ],
  [
    'Get "https://quay.io/v2/": x509: certificate signed by unknown authority',
    'the engine does not trust the certificate of quay.io',
  ],
  [
    'Get "https://quay.io/v2/": http: server gave HTTP response to HTTPS client',
    'quay.io speaks plain HTTP where the engine wants HTTPS',
  ],
  ['Get "https://quay.io/v2/": net/http: TLS handshake timeout', 'quay.io did not answer the engine in time'],
  [
    'Get "https://quay.io/v2/": net/http: request canceled (Client.Timeout exceeded while awaiting headers)',
    'quay.io did not answer the engine in time',
  ],
  [
    'no matching manifest for linux/arm64/v8 in the manifest list entries',
    'quay.io has no team/app:1.5 for this platform',
  ],
  [
    'received unexpected HTTP status: 503 Service Unavailable',
    `${NAME} cannot be pulled: received unexpected HTTP status: 503 Service Unavailable`,
  ],
  ['', `${NAME} cannot be pulled: the engine gave no reason`],
])('%s', (words, said) => {
  const fault = pullFault(NAME, words, { owner: 'user ann from /c' })
  expect(fault.kind).toBe('registry')
  expect(fault.message).toContain(said)
  expect(fault.remedy).toMatch(/\.$/)
})

test('a full disk is the disk’s fault', () => {
  const words = 'failed to register layer: Error processing tar file(exit status 1): write /x: no space left on device'
  expect(pullFault(NAME, words, null)).toMatchObject({
    kind: 'disk',
    message: expect.stringContaining("the engine's disk is full"),
  })
})
