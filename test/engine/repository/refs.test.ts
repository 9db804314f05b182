// Single refs, such as notes, pushed to real servers and fetched from them, over HTTP and SSH.

import { mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { fetchRef } from '../../../src/repository/fetch-ref.ts'
import { lackingObjects } from '../../../src/repository/lacking-objects.ts'
import { DEFAULT_LIMITS } from '../../../src/repository/limits.ts'
import type { NewObject } from '../../../src/repository/new-object.ts'
import { openObjectStore } from '../../../src/repository/object-store.ts'
import { openRemote } from '../../../src/repository/open-remote.ts'
import { pushRef } from '../../../src/repository/push.ts'
import type { Remote } from '../../../src/repository/remote-refs.ts'
import { openTreeReader } from '../../../src/repository/tree.ts'
import { serveRepository, type Served } from './served-repository.ts'
import { type SshServer, startSshServer } from './ssh-server.ts'

const REF = 'refs/notes/graft'
const { signal } = new AbortController()
let keys: string
let ssh: SshServer
let served: Served

beforeAll(async () => {
  keys = mkdtempSync(join(tmpdir(), 'graft-refs-'))
  ssh = await startSshServer(keys, ['AcceptEnv GIT_PROTOCOL'])
})
afterAll(async () => {
  await ssh?.stop()
  rmSync(keys, { recursive: true, force: true })
})
beforeEach(async () => {
  served = await serveRepository({ 'a.txt': 'a\n' })
  mkdirSync(served.sandbox.path('own', 'objects'), { recursive: true })
})
afterEach(() => served.end())

function remote(kind: string): Remote {
  const url = {
    http: `${served.server.url}/served.git`,
    ssh: `ssh://${ssh.user}@127.0.0.1:${ssh.port}${served.sandbox.path('served.git')}`,
    folder: served.sandbox.path('served.git'),
  }[kind]
  const access = {
    auth: {},
    caFile: null,
    proxies: { http: null, https: null, none: '' },
    ssh: { keyFile: ssh.keyFile, knownHostsFile: ssh.knownHostsFile },
  }
  return openRemote(url ?? '', access, DEFAULT_LIMITS)
}

/** A note made by native Git in `work`: what the ref stands for then, and the objects that `before` lacks. */
function note(text: string, before: string | null): { to: string; objects: readonly NewObject[] } {
  served.sandbox.git('work', 'notes', '--ref', 'graft', 'add', '-f', '-m', text)
  const to = served.sandbox.git('work', 'rev-parse', REF)
  const store = openObjectStore([served.sandbox.path('work', '.git', 'objects')])
  const objects = { store, trees: openTreeReader(store), shallow: new Set<string>() }
  return { to, objects: lackingObjects(objects, to, before === null ? [] : [before]) }
}

describe.each(['http', 'ssh', 'folder'])('a ref over %s', (kind) => {
  it('is made, moved and fetched, and other Gits see it', async () => {
    const there = remote(kind)
    const wish = { ref: REF, folder: served.sandbox.path('own') }
    expect(await fetchRef(there, { ...wish, have: null }, signal)).toBeNull()
    const first = note('one', null)
    await pushRef(there, { ref: REF, from: null, ...first }, signal)
    expect(served.sandbox.git('served.git', 'notes', '--ref', 'graft', 'show', 'main')).toBe('one')
    expect(await fetchRef(there, { ...wish, have: null }, signal)).toBe(first.to)
    const second = note('two', first.to)
    await pushRef(there, { ref: REF, from: first.to, ...second }, signal)
    expect(await fetchRef(there, { ...wish, have: first.to }, signal)).toBe(second.to)
    expect(await fetchRef(there, { ...wish, have: second.to }, signal)).toBe(second.to)
    expect(readdirSync(served.sandbox.path('own'))).toEqual(['objects'])
    expect(readdirSync(served.sandbox.path('own/objects/pack')).filter((name) => name.endsWith('.pack'))).toHaveLength(
      2,
    )
    const store = openObjectStore([served.sandbox.path('own', 'objects')])
    expect(store.has(second.to) && store.has(first.to)).toBe(true)
    expect(served.sandbox.git('served.git', 'fsck', '--strict')).not.toMatch(/error|missing/)
  })

  it('that somebody else has moved stays as they left it; one that is at its aim is fine', async () => {
    const there = remote(kind)
    const first = note('one', null)
    await pushRef(there, { ref: REF, from: null, ...first }, signal)
    await pushRef(there, { ref: REF, from: null, ...first }, signal)
    const second = note('two', first.to)
    await expect(pushRef(there, { ref: REF, from: null, ...second }, signal)).rejects.toMatchObject({ kind: 'moved' })
    const wrong = { ref: REF, from: served.head(), ...second }
    await expect(pushRef(there, wrong, signal)).rejects.toMatchObject({ kind: 'moved' })
    expect(served.sandbox.git('served.git', 'rev-parse', REF)).toBe(first.to)
  })

  it('without all its objects is refused', async () => {
    const there = remote(kind)
    const { to, objects } = note('one', null)
    const lacking = objects.filter(({ type }) => type !== 'tree')
    await expect(pushRef(there, { ref: REF, from: null, to, objects: lacking }, signal)).rejects.toMatchObject({
      kind: 'refused',
    })
    expect(served.sandbox.git('served.git', 'for-each-ref', REF)).toBe('')
  })
})
