// Faults of the Git server and of what it serves. What runs goes on, the status says what is the matter, and the newest
// commit runs when it is over.

import { rm } from 'node:fs/promises'
import { join } from 'node:path'

import { afterAll, beforeAll, expect, it } from 'vitest'

import type { HostEngine } from '../../src/demo/host-engine.ts'
import { endure, type Fault } from './endure.ts'
import { faultTable } from './fault-table.ts'
import { faultEngine, pause, setScene, type Scene } from './scene.ts'

const table = faultTable('Git server')
let engine: HostEngine
let scene: Scene

beforeAll(async () => {
  engine = await faultEngine('git')
  scene = await setScene({ engineUrl: engine.url })
})
afterAll(async () => {
  await scene?.end()
  await engine?.stop()
})

const REPOSITORY_FAULT = /"fault":\{"message":"([^"]+)/
const isPack = (url: string) => url.endsWith('/git-upload-pack')
/** Kills what runs, to see that it is mended by what was seen last. */
const mended = async () => {
  await scene.container('store').kill()
  await scene.asDeclared(scene.generation() - 1)
}
const bare = (...args: string[]) => scene.git('--git-dir', join(scene.served, 'site.git'), ...args)

const faults: readonly (Fault & { readonly usually?: boolean })[] = [
  {
    name: 'down; what somebody kills meanwhile comes back',
    usually: true,
    begin: async () => {
      await scene.stopGitServer()
      await scene.next()
      await mended()
    },
    said: REPOSITORY_FAULT,
    end: () => scene.startGitServer(),
  },
  {
    name: 'down while the daemon starts anew',
    begin: async () => {
      await scene.stopGitServer()
      await scene.endDaemon('SIGKILL')
      await scene.next()
      scene.startDaemon()
    },
    said: REPOSITORY_FAULT,
    end: () => scene.startGitServer(),
  },
  {
    name: 'takes requests and never answers',
    begin: async () => {
      scene.interference = () => 'hang'
      await scene.next()
      await mended()
    },
    said: REPOSITORY_FAULT,
    end: async () => (scene.interference = () => null),
    patience: 90_000,
  },
  {
    name: 'answers 503',
    begin: async () => {
      scene.interference = () => ({ status: 503 })
      await scene.next()
    },
    said: REPOSITORY_FAULT,
    end: async () => (scene.interference = () => null),
  },
  {
    name: 'the password is refused',
    begin: async () => {
      scene.interference = () => ({ status: 401, headers: { 'www-authenticate': 'Basic realm="git"' } })
      await scene.next()
    },
    said: REPOSITORY_FAULT,
    end: async () => (scene.interference = () => null),
  },
  {
    name: 'cuts the connection in the middle of the pack',
    begin: async () => {
      // Enough that there is a middle.
      const noise = Array.from({ length: 2_000 }, () => Math.random()).join('\n')
      await scene.push({ 'noise.txt': noise })
      scene.interference = (url) => (isPack(url) ? { cutAfterBytes: 600 } : null)
      await scene.next()
    },
    said: REPOSITORY_FAULT,
    end: async () => (scene.interference = () => null),
  },
  {
    name: 'the branch is rewritten by force',
    begin: async () => {
      await scene.git('checkout', '-q', '--orphan', 'rewritten')
      await scene.next()
      await scene.git('branch', '-q', '-M', 'rewritten', 'main')
    },
    said: async () => {
      const tip = await bare('rev-parse', 'main')
      return `tip ${(await scene.says(new RegExp(`"tip":\\{"id":"(${tip})`))).slice(0, 7)}`
    },
    end: async () => undefined,
  },
  {
    name: 'the branch is rewritten to an older commit',
    begin: async () => {
      await scene.next()
      await scene.asDeclared()
      await bare('update-ref', 'refs/heads/main', 'main~1')
    },
    said: async () => {
      const tip = await bare('rev-parse', 'main')
      return `tip ${(await scene.says(new RegExp(`"tip":\\{"id":"(${tip})`))).slice(0, 7)}`
    },
    end: async () => undefined,
    generation: () => scene.generation() - 1,
  },
  {
    name: 'the repository is emptied: no branch left',
    usually: true,
    begin: async () => {
      await scene.next()
      await scene.asDeclared()
      await bare('update-ref', '-d', 'refs/heads/main')
      await bare('pack-refs', '--all')
    },
    said: REPOSITORY_FAULT,
    end: () => scene.push({}, 'it is back'),
    harmless: true,
  },
  {
    name: 'the repository is gone',
    begin: () => rm(join(scene.served, 'site.git'), { recursive: true }),
    said: REPOSITORY_FAULT,
    end: async () => {
      await scene.git('init', '-q', '--bare', '-b', 'main', join(scene.served, 'site.git'))
      await scene.next()
    },
  },
  {
    name: 'a commit without any file',
    begin: async () => {
      const tree = await scene.git('hash-object', '-w', '-t', 'tree', '/dev/null')
      const commit = await scene.git('commit-tree', tree, '-p', 'HEAD', '-m', 'all gone')
      await scene.git('push', '-q', join(scene.served, 'site.git'), `${commit}:main`)
    },
    said: /"problems":\[\{[^\]]*?"message":"([^"]+)/,
    end: async () => scene.next(),
  },
  {
    name: 'the default branch gets another name',
    begin: async () => {
      await bare('branch', '-m', 'main', 'trunk')
      await bare('symbolic-ref', 'HEAD', 'refs/heads/trunk')
      await pause(2_500)
    },
    said: async () => {
      const { repository } = await scene.status()
      return repository.fault?.message ?? `follows it: ${repository.description}`
    },
    end: async () => {
      // The next commit is on the new branch only.
      await scene.next()
      await bare('update-ref', 'refs/heads/trunk', 'refs/heads/main')
      await bare('update-ref', '-d', 'refs/heads/main')
    },
  },
]

for (const fault of faults) {
  if (!table.takes(fault.name, fault.usually === true)) continue
  it(fault.name, { timeout: 300_000 }, () => endure(scene, table, fault))
}

it('no stack trace in the log, and no endless repetition', () => {
  expect(scene.log()).not.toMatch(/\\n\s+at /)
})
