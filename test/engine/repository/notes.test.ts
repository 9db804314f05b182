// Notes on a real Git server and in a person's own repository; native Git is the other side.

import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

import { afterEach, beforeEach, describe, expect, it } from 'vitest'

import { type NoteEntry, parseNote } from '../../../src/repository/note-text.ts'
import { openNotesStore } from '../../../src/repository/notes-store.ts'
import { tidyNotes } from '../../../src/repository/notes-tidy.ts'
import { type Notes, openNotes } from '../../../src/repository/notes.ts'
import { type RepositoryOptions, setupOf } from '../../../src/repository/open.ts'
import { serveRepository, type Served } from './served-repository.ts'
import { signingTools } from './signing-tools.ts'

let served: Served
let commits: string[]
let opened: Notes[]
beforeEach(async () => {
  served = await serveRepository({ 'deployment.yaml': 'name: shop\n' })
  commits = [served.head(), ...['b', 'c', 'd'].map((text) => served.push({ 'a.txt': text }))]
  opened = []
})
afterEach(async () => {
  await Promise.all(opened.map((notes) => notes.close()))
  await served.end()
})

function entry(host: string, at = 1, words = 'deployed'): NoteEntry {
  const name = `shop on ${host}`
  return { name, at, words: `${name}: ${words}`, data: JSON.stringify({ host, deployment: 'shop', at }) }
}

async function notesOf(host: string, options: Partial<RepositoryOptions> = {}): Promise<Notes> {
  const place = served.sandbox.path(`state-${host}`)
  const notes = await openNotes(
    { repo: `${served.server.url}/served.git`, cache: `${place}/clone`, ...options },
    `${place}/notes`,
    { name: `graft on ${host}`, email: `graft@${host}` },
  )
  opened.push(notes)
  return notes
}

const write = (notes: Notes, commit: string | undefined, ...entries: NoteEntry[]): Promise<void> =>
  notes.write([{ commit: commit ?? '', entries }], 'told')
const git = (...args: string[]): string => served.sandbox.git('served.git', ...args)
const shown = (commit = ''): string => git('notes', '--ref=graft', 'show', commit)
const hostsOn = (commit = ''): string[] =>
  parseNote(shown(commit)).entries.map(({ name }) => name.replace('shop on ', ''))
const soundness = (): string => git('fsck', '--strict')

describe('notes on a server', () => {
  it('are on this host at once, and on the server when they are pushed', async () => {
    const notes = await notesOf('alpha')
    await write(notes, commits[0], entry('alpha'))
    expect([...(await notes.read(commits, false)).keys()]).toEqual([commits[0]])
    expect(git('for-each-ref', 'refs/notes')).toBe('')
    const own = 'state-alpha/notes'
    expect(served.sandbox.git(own, 'notes', '--ref=graft', 'show', commits[0] ?? '')).toContain(
      'shop on alpha: deployed',
    )
    await notes.push()
    expect(shown(commits[0])).toContain('shop on alpha: deployed\n\n{"host":"alpha"')
    expect(git('log', '-1', '--notes=graft', '--format=%N', commits[0] ?? '')).toContain('shop on alpha: deployed')
    expect(git('log', '-1', '--format=%an <%ae>', 'refs/notes/graft')).toBe('graft on alpha <graft@alpha>')
    expect(soundness()).not.toMatch(/error|missing|warning/)
    await write(notes, commits[0], entry('alpha', 2, 'failed'))
    await notes.push()
    expect(shown(commits[0])).toMatch(/^shop on alpha: failed\n\n\{.*\}$/)
    expect(git('rev-list', '--count', 'refs/notes/graft')).toBe('2')
  })

  it('of several hosts that push at once all arrive, round after round', async () => {
    const hosts = ['alpha', 'beta', 'gamma', 'delta']
    const all = await Promise.all(hosts.map((host) => notesOf(host)))
    for (const [round, commit] of commits.entries()) {
      await Promise.all(
        all.map(async (notes, number) => {
          await write(notes, commit, entry(hosts[number] ?? '', round + 1))
          await notes.push()
        }),
      )
    }
    for (const commit of commits) expect(hostsOn(commit)).toEqual(hosts.toSorted())
    expect(soundness()).not.toMatch(/error|missing|warning/)
    // One line of history, without merges.
    expect(git('rev-list', '--merges', '--count', 'refs/notes/graft')).toBe('0')
    const [first] = all
    expect(
      [...((await first?.read(commits, true)) ?? [])].every(([, text]) => parseNote(text).entries.length === 4),
    ).toBe(true)
  }, 60_000)

  it('of others are read without pushing anything', async () => {
    const [alpha, beta] = [await notesOf('alpha'), await notesOf('beta')]
    await write(alpha, commits[0], entry('alpha'))
    await alpha.push()
    await write(beta, commits[0], entry('beta'))
    const read = await beta.read(commits, true)
    expect(parseNote(read.get(commits[0] ?? '') ?? '').entries.map(({ name }) => name)).toEqual([
      'shop on alpha',
      'shop on beta',
    ])
    expect(hostsOn(commits[0])).toEqual(['alpha'])
    await served.server.stop()
    expect((await beta.read(commits, true)).size).toBe(1)
  })

  it('go on after notes that somebody made with Git, 1,600 of them, and keep each', async () => {
    const { sandbox } = served
    sandbox.git('work', 'checkout', '-q', '-b', 'many')
    const make = (number: number, ref: string): string =>
      `commit ${ref}\nmark :${number}\ncommitter A <a@b> ${1_700_000_000 + number} +0000\ndata 1\nc\n`
    const marks = Array.from({ length: 1_600 }, (_, number) => number + 1)
    const text = `${marks.map((mark) => make(mark, 'refs/heads/many')).join('')}${make(9_999, 'refs/notes/graft')}${marks
      .map((mark) => `N inline :${mark}\ndata <<E\nby hand ${mark}\nE\n`)
      .join('')}\n`
    sandbox.gitWithInput('served.git', text, 'fast-import', '--quiet', '--force')
    const before = git('notes', '--ref=graft', 'list').split('\n')
    expect(before).toHaveLength(1_600)
    const tip = git('rev-parse', 'many')
    const notes = await notesOf('alpha')
    await write(notes, tip, entry('alpha'))
    await write(notes, commits[0], entry('alpha'))
    await notes.push()
    expect(shown(tip)).toMatch(/^shop on alpha: deployed\n\nby hand 1600\n\n\{/)
    expect(hostsOn(commits[0])).toEqual(['alpha'])
    const after = git('notes', '--ref=graft', 'list').split('\n')
    expect(after).toHaveLength(1_601)
    const others = before.filter((line) => !line.endsWith(tip))
    expect(others.every((line) => after.includes(line))).toBe(true)
    expect(soundness()).not.toMatch(/error|missing|warning/)
    // And Git goes on after graft.
    git('notes', '--ref=graft', 'append', '-m', 'seen', commits[0] ?? '')
    await write(notes, commits[0], entry('alpha', 2, 'failed'))
    await notes.push()
    expect(shown(commits[0])).toMatch(/^shop on alpha: failed\n\nseen\n\n\{[^\n]*"at":2\}$/)
  }, 60_000)

  it('whose ref was removed or written anew on the server come back, and what was taken out by hand stays out', async () => {
    const [alpha, beta] = [await notesOf('alpha'), await notesOf('beta')]
    await write(alpha, commits[0], entry('alpha'))
    await alpha.push()
    await write(beta, commits[1], entry('beta'))
    await beta.push()
    await alpha.push()
    git('update-ref', '-d', 'refs/notes/graft')
    await write(alpha, commits[2], entry('alpha', 3))
    await alpha.push()
    expect(hostsOn(commits[1])).toEqual(['beta'])
    expect(hostsOn(commits[2])).toEqual(['alpha'])
    // Anew, with another history.
    git('update-ref', '-d', 'refs/notes/graft')
    git('notes', '--ref=graft', 'add', '-m', 'fresh', commits[0] ?? '')
    await beta.push()
    await alpha.push()
    expect(shown(commits[0])).toMatch(/^shop on alpha: deployed\n\nfresh\n\n\{/)
    expect(hostsOn(commits[2])).toEqual(['alpha'])
    git('notes', '--ref=graft', 'remove', commits[2] ?? '')
    await write(alpha, commits[3], entry('alpha', 4))
    await alpha.push()
    await beta.push()
    expect(git('notes', '--ref=graft', 'list')).not.toContain(commits[2])
    expect(hostsOn(commits[3])).toEqual(['alpha'])
    expect(soundness()).not.toMatch(/error|missing|warning/)
  }, 60_000)

  it('that may not be pushed stay here, with the server’s words', async () => {
    const notes = await notesOf('alpha')
    await write(notes, commits[0], entry('alpha'))
    writeFileSync(
      served.sandbox.path('served.git', 'hooks', 'update'),
      '#!/bin/sh\necho "no notes here" >&2\nexit 1\n',
      {
        mode: 0o755,
      },
    )
    await expect(notes.push()).rejects.toMatchObject({
      kind: 'refused',
      message: expect.stringMatching(/no notes here/),
    })
    rmSync(served.sandbox.path('served.git', 'hooks', 'update'))
    served.interfere((line) => (line.includes('receive-pack') ? { status: 403 } : null))
    await expect(notes.push()).rejects.toMatchObject({ kind: 'auth' })
    served.interfere((line) => (/POST .*receive-pack/.test(line) ? { cutAfterBytes: 5 } : null))
    await expect(notes.push()).rejects.toMatchObject({ kind: expect.stringMatching(/server|unreachable/) })
    served.interfere(() => null)
    await notes.push()
    expect(hostsOn(commits[0])).toEqual(['alpha'])
  })

  it('go on in one line after graft’s own repository was tidied, and come back whole where the server lost them', async () => {
    const notes = await notesOf('alpha')
    for (const [number, commit] of commits.entries()) await write(notes, commit, entry('alpha', number + 1))
    await notes.push()
    const own = served.sandbox.path('state-alpha/notes')
    await notes.close()
    const { setup } = await setupOf({ repo: `${served.server.url}/served.git`, cache: served.sandbox.path('unused') })
    const store = openNotesStore(setup, own)
    const by = { name: 'graft on alpha', email: 'graft@alpha' }
    await tidyNotes(store, { by, message: 'x', sign: null }, { loose: 1, packs: 1 })
    store.close()
    expect(
      served.sandbox.git(own.slice(served.sandbox.folder.length + 1), 'rev-list', '--count', 'refs/notes/graft'),
    ).toBe('1')
    const before = git('rev-parse', 'refs/notes/graft')
    await write(notes, commits[0], entry('alpha', 9, 'failed'))
    await notes.push()
    expect(git('rev-parse', 'refs/notes/graft~1')).toBe(before)
    const beta = await notesOf('beta')
    await write(beta, commits[0], entry('beta'))
    await beta.push()
    await write(notes, commits[1], entry('alpha', 10, 'failed'))
    await notes.push()
    expect(hostsOn(commits[0])).toEqual(['alpha', 'beta'])
    git('update-ref', '-d', 'refs/notes/graft')
    await notes.push()
    expect(hostsOn(commits[0])).toEqual(['alpha', 'beta'])
    expect(shown(commits[1])).toContain('failed')
    expect(soundness()).not.toMatch(/error|missing|warning/)
  }, 60_000)

  it('are signed where graft has a key', async () => {
    const tools = await signingTools()
    try {
      const key = join(tools.folder, 'key')
      tools.sshKeygen('-q', '-t', 'ed25519', '-N', '', '-C', 'graft@alpha', '-f', key)
      const notes = await notesOf('alpha', { signingKeyFile: key })
      await write(notes, commits[0], entry('alpha'))
      await notes.push()
      const signers = join(tools.folder, 'signers')
      writeFileSync(signers, `graft@alpha ${readFileSync(`${key}.pub`, 'utf8')}`)
      const settings = ['-c', `gpg.ssh.program=${tools.sshProgram}`, '-c', `gpg.ssh.allowedSignersFile=${signers}`]
      git(...settings, 'verify-commit', 'refs/notes/graft')
      expect(git(...settings, 'log', '-1', '--format=%G? %GS', 'refs/notes/graft')).toBe('G graft@alpha')
    } finally {
      tools.end()
    }
  }, 120_000)

  it('can be written while a push hangs', async () => {
    const notes = await notesOf('alpha')
    await write(notes, commits[0], entry('alpha'))
    served.interfere(() => 'hang')
    const abort = new AbortController()
    const hanging = notes.push(abort.signal).catch((error: unknown) => error)
    await write(notes, commits[1], entry('alpha'))
    expect((await notes.read(commits, false)).size).toBe(2)
    abort.abort()
    await hanging
    served.interfere(() => null)
    await notes.push()
    expect(hostsOn(commits[1])).toEqual(['alpha'])
  })
})

describe("notes in a person's own repository", () => {
  it('lie there at once, beside those they make themselves', async () => {
    const { sandbox } = served
    sandbox.git('work', 'notes', '--ref=graft', 'add', '-m', 'mine', commits[0] ?? '')
    const notes = await notesOf('alpha', { repo: sandbox.path('work') })
    await write(notes, commits[0], entry('alpha'))
    await write(notes, commits[1], entry('alpha'))
    const log = sandbox.git('work', 'log', '--notes=graft', '--format=%H%n%N', '--reverse')
    expect(log).toContain(`${commits[0]}\nshop on alpha: deployed\n\nmine\n\n{`)
    expect(log).toContain(`${commits[1]}\nshop on alpha: deployed\n`)
    sandbox.git('work', 'gc', '-q', '--prune=now')
    sandbox.git('work', 'pack-refs', '--all')
    await write(notes, commits[1], entry('alpha', 2, 'failed'))
    expect(sandbox.git('work', 'notes', '--ref=graft', 'show', commits[1] ?? '')).toContain('shop on alpha: failed')
    expect(sandbox.git('work', 'fsck', '--strict')).not.toMatch(/error|missing|warning/)
    expect(sandbox.git('work', 'status', '--porcelain')).toBe('')
    expect(git('for-each-ref', 'refs/notes')).toBe('')
  })

  it('go to its remote where that is asked for, together with those of others', async () => {
    const { sandbox } = served
    sandbox.git('work', 'remote', 'set-url', 'origin', `${served.server.url}/served.git`)
    const [folder, other] = [await notesOf('folder', { repo: sandbox.path('work') }), await notesOf('other')]
    await write(other, commits[0], entry('other'))
    await other.push()
    await write(folder, commits[0], entry('folder'))
    await folder.push()
    expect(hostsOn(commits[0])).toEqual(['folder', 'other'])
    expect(sandbox.git('work', 'notes', '--ref=graft', 'show', commits[0] ?? '')).toContain('shop on other')
    expect(sandbox.git('work', 'fsck', '--strict')).not.toMatch(/error|missing|warning/)
    sandbox.git('work', 'notes', '--ref=graft', 'add', '-m', 'mine', commits[1] ?? '')
    await write(other, commits[2], entry('other'))
    await other.push()
    await folder.push()
    expect(shown(commits[1])).toBe('mine')
    expect(hostsOn(commits[2])).toEqual(['other'])
    expect(soundness()).not.toMatch(/error|missing|warning/)
  }, 60_000)

  it('wait while another Git is at work on them', async () => {
    const lock = served.sandbox.path('work', '.git', 'refs', 'notes', 'graft.lock')
    served.sandbox.git('work', 'notes', '--ref=graft', 'add', '-m', 'mine', commits[0] ?? '')
    writeFileSync(lock, '')
    const notes = await notesOf('alpha', { repo: served.sandbox.path('work') })
    const writing = write(notes, commits[0], entry('alpha'))
    setTimeout(() => rmSync(lock), 400)
    await writing
    expect(served.sandbox.git('work', 'notes', '--ref=graft', 'show', commits[0] ?? '')).toContain('mine')
  })
})
