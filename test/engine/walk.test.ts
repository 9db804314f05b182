// The walk of docs/walk.md, typed line by line into a real shell: a real Git server, the real program, a real engine.
// What is printed must be what stands there, but for ids, times and addresses. GRAFT_WRITE_WALK=1 writes it down anew.

import { execFile, spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { chmod, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

import { afterAll, beforeAll, expect, inject, it } from 'vitest'

import { engineClient } from '../../src/demo/engine-address.ts'
import { startGitServer, type GitServer } from '../../src/demo/git-server.ts'
import { serviceImage } from './load/service-image.ts'

const main = fileURLToPath(new URL('../../dist/main.js', import.meta.url))
const page = fileURLToPath(new URL('../../docs/walk.md', import.meta.url))
const readme = fileURLToPath(new URL('../../README.md', import.meta.url))
const IMAGE = 'graft-test/shop'
const DEPLOYMENT = 'shop'
const PATIENCE = 40_000
const docker = engineClient(inject('engineUrl'))

let home: string
let server: GitServer
let daemon: ChildProcess
let log = ''

/** Runs one line as a person's shell would; both streams, as they come. */
function type(line: string, folder: string): Promise<{ exitCode: number; output: string }> {
  const env = {
    PATH: `${join(home, 'bin')}:${process.env['PATH'] ?? ''}`,
    HOME: home,
    TZ: 'UTC',
    NO_COLOR: '1',
    COLUMNS: '110',
    GIT_CONFIG_NOSYSTEM: '1',
    GIT_PAGER: 'cat',
  }
  return new Promise((resolve) =>
    execFile('bash', ['-c', `exec 2>&1; ${line}`], { cwd: join(home, folder), env }, (error, stdout) =>
      resolve({ exitCode: error === null ? 0 : Number(error.code ?? -1), output: stdout }),
    ),
  )
}

beforeAll(async () => {
  home = await mkdtemp(join(tmpdir(), 'graft-walk-'))
  await images()
  await mkdir(join(home, 'bin'))
  await writeFile(join(home, 'bin', 'graft'), `#!/bin/sh\nexec '${process.execPath}' '${main}' "$@"\n`)
  await chmod(join(home, 'bin', 'graft'), 0o755)
  await mkdir(join(home, 'served', 'team'), { recursive: true })
  server = await startGitServer({ folder: join(home, 'served') })
  const url = `${server.url}/team/shop.git`
  const begun = await type(
    [
      'set -e',
      'git config --global init.defaultBranch main',
      'git config --global user.name Ada && git config --global user.email ada@example.org',
      'git config --global advice.detachedHead false',
      'git init -q --bare served/team/shop.git && git -C served/team/shop.git config http.receivepack true',
      'git init -q shop && cd shop',
      `printf 'name: ${DEPLOYMENT}\\nformat: 1\\n' > deployment.yaml`,
      `printf 'generation: 1\\nimage: ${IMAGE}:1.4\\nhealthcheck:\\n  http: {port: 8080, path: /health}\\n  interval: 1s\\nupdate: {drain: 1s, deadline: 20s}\\n' > page.yaml`,
      'git add . && git commit -qm "The shop, version 1.4"',
      `git remote add origin ${url} && git push -q -u origin main`,
      `cd .. && git clone -q ${url} forge && git -C forge config user.name "The forge" && git -C forge config user.email forge@example.org`,
    ].join('\n'),
    '.',
  )
  expect(begun.exitCode, begun.output).toBe(0)
  const host = ['--repo', url, '--state', join(home, 'state'), '--engine', inject('engineUrl')]
  daemon = spawn(process.execPath, [main, 'run', '--poll', '1', '--host-name', 'web1', '--notes', 'push', ...host], {
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  for (const stream of [daemon.stdout, daemon.stderr]) stream?.on('data', (chunk) => (log += String(chunk)))
  await until('git -C served/team/shop.git notes --ref=graft show main')
}, 120_000)

afterAll(async () => {
  if (daemon?.exitCode === null) {
    daemon.kill('SIGTERM')
    await once(daemon, 'exit')
  }
  await server?.stop()
  const filters = { label: [`dev.graft.deployment=${DEPLOYMENT}`] }
  for (const { Id } of await docker.listContainers({ all: true, filters }))
    await docker.getContainer(Id).remove({ force: true, v: true })
  for (const { Id } of await docker.listNetworks({ filters })) await docker.getNetwork(Id).remove()
  for (const { RepoTags } of await docker.listImages()) {
    const own = (RepoTags ?? []).filter(
      (tag) => tag.startsWith(`graft.local/${DEPLOYMENT}/`) || tag.startsWith(`${IMAGE}:`),
    )
    for (const tag of own) await docker.getImage(tag).remove({ force: true })
  }
  await rm(home, { recursive: true, force: true })
})

/** 1.4 and 1.5 serve; 1.6 ends as soon as it has begun. */
async function images(): Promise<void> {
  await serviceImage(docker, [`${IMAGE}:1.4`])
  for (const [tag, variables] of [
    ['1.5', ['GENERATION=1.5']],
    ['1.6', ['CRASH_AFTER=0']],
  ] as const) {
    const container = await docker.createContainer({ Image: `${IMAGE}:1.4`, Env: [...variables] })
    await container.commit({ repo: IMAGE, tag })
    await container.remove()
  }
}

/** Tries a line in the home folder until it ends well. */
async function until(line: string): Promise<void> {
  for (const end = Date.now() + PATIENCE; ;) {
    const { exitCode, output } = await type(line, '.')
    if (exitCode === 0) return
    if (Date.now() > end) throw new Error(`it never became so: ${line}\n${output}\n${log.slice(-4000)}`)
    await new Promise((resolve) => setTimeout(resolve, 200))
  }
}

/** What differs from run to run, told apart by order: the first commit is always `id1`. */
function withoutChance(text: string): string {
  const ids = new Map<string, string>()
  return text
    .replaceAll(/\b[0-9a-f]{7,40}\b/g, (id) => {
      const known = [...ids.keys()].find((other) => other.startsWith(id) || id.startsWith(other))
      if (known === undefined) ids.set(id, `id${ids.size + 1}`)
      return ids.get(known ?? id) ?? id
    })
    .replaceAll(/\b\d{4}-\d\d-\d\d \d\d:\d\d(:\d\d)?( UTC)?\b/g, 'TIME')
    .replaceAll(/\b\d{1,2} [A-Z][a-z]{2} \d\d:\d\d\b/g, 'TIME')
    .replaceAll(/"at":\d+/g, '"at":N')
    .replaceAll(/"(milliseconds|gate|gap)":\d+(\.\d+)?/g, '"$1":N')
    .replaceAll(/(\d+(\.\d+)? (ms|s|min)|just now)( ago)?/g, 'N s')
    .replaceAll(/ {2,}/g, '  ')
}

/** Addresses and folders of this machine under names that fit any. */
function asShown(output: string): string {
  return output
    .replaceAll(server.url, 'https://git.example')
    .replaceAll(`${home}/`, '~/')
    .split('\n')
    .map((line) => line.trimEnd())
    .join('\n')
    .trimEnd()
}

/** The log at its end, which the README shows as well. */
const STORY = /\$ git log --first-parent --notes=graft[^]*?```/

/** A fenced block of commands and what they print, or a comment that says what to wait for. */
const PARTS = /```console(?: (\w+))?\n([^]*?)```|<!-- until: (.*) -->/g

it('prints what docs/walk.md says', { timeout: 300_000 }, async () => {
  const text = await readFile(page, 'utf8')
  let written = ''
  let expected = ''
  let printed = ''
  let end = 0
  for (const part of text.matchAll(PARTS)) {
    written += text.slice(end, part.index)
    end = part.index + part[0].length
    const [whole, folder = 'shop', block = '', condition] = part
    if (condition !== undefined) {
      await until(condition)
      written += whole
      continue
    }
    const typed: string[] = []
    for (const [, command = ''] of block.matchAll(/^\$ (.*(?:\\\n.*)*)$/gm)) {
      const { output } = await type(command, folder)
      typed.push([`$ ${command}`, asShown(output)].filter((line) => line !== '').join('\n'))
    }
    const now = `${typed.join('\n')}\n`
    expected += block
    printed += now
    written += whole.replace(block, () => now)
  }
  written += text.slice(end)
  if (process.env['GRAFT_WRITE_WALK'] === '1') {
    await writeFile(page, written)
    await writeFile(
      readme,
      (await readFile(readme, 'utf8')).replace(STORY, () => STORY.exec(written)?.[0] ?? ''),
    )
    return
  }
  expect(withoutChance(printed), log.slice(-2000)).toBe(withoutChance(expected))
})

it('ends with the log that the README shows', async () => {
  const [walk, front] = [await readFile(page, 'utf8'), await readFile(readme, 'utf8')]
  const [story = ''] = STORY.exec(walk) ?? []
  expect(story.length).toBeGreaterThan(200)
  expect(front).toContain(story)
})
