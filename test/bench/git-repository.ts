// A repository with a long history, as a busy deployment would have it after some years, made by git fast-import.

import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'

import { identity, leafName, leafPath, leafText, PER_SET, setPath } from './tree-repository.ts'

const run = promisify(execFile)

export interface HistoryRepository {
  readonly folder: string
  /** A leaf that many commits touched, and its file. */
  readonly leaf: string
  readonly file: string
  git(...args: string[]): Promise<string>
  /** One more commit that bumps one leaf; its id. */
  bump(): Promise<string>
  end(): Promise<void>
}

const BEGIN = 1_600_000_000
/** Seconds between two commits. */
const EVERY = 3_600

function deploymentText(description: string): string {
  return `name: large\nformat: 1\ndescription: ${description}\nvariables: {REGION: north}\n`
}

/**
 * Most commits bump one leaf; every tenth edits the `set.yaml` of twenty leaves, every hundredth that of four hundred,
 * every two hundredth `deployment.yaml`, and what lies below is read again; every fiftieth moves a set's version, and
 * with it all its leaves. Every seventh bumps the same leaf, whose history is then asked for.
 */
export async function historyRepository(commits: number, leaves: number): Promise<HistoryRepository> {
  const folder = await mkdtemp(join(tmpdir(), 'graft-bench-history-'))
  const git = async (...args: string[]): Promise<string> =>
    (await run('git', args, { cwd: folder, env: identity(), maxBuffer: 1 << 28 })).stdout.trim()
  await git('init', '-q', '-b', 'main')
  const generations = Array.from({ length: leaves }, () => 1)
  const busy = Math.floor(leaves / 3)
  /** By the first leaf of a set. */
  const versions = new Map<number, number>()

  async function importing(): Promise<{ write(text: string): Promise<void>; end(): Promise<void> }> {
    const child = spawn('git', ['fast-import', '--quiet', '--date-format=raw'], {
      cwd: folder,
      stdio: ['pipe', 'inherit', 'inherit'],
    })
    const ended = once(child, 'exit')
    return {
      async write(text) {
        if (!child.stdin.write(text)) await once(child.stdin, 'drain')
      },
      async end() {
        child.stdin.end()
        const [code] = (await ended) as [number]
        if (code !== 0) throw new Error(`git fast-import ended with ${code}`)
      },
    }
  }

  const commitText = (number: number, subject: string, files: Record<string, string>): string => {
    const head = [
      'commit refs/heads/main',
      `committer Ann Example <ann@example.org> ${BEGIN + number * EVERY} +0000`,
      `data ${Buffer.byteLength(subject)}`,
      subject,
    ]
    const changes = Object.entries(files).map(
      ([path, text]) => `M 100644 inline ${path}\ndata ${Buffer.byteLength(text)}\n${text}`,
    )
    return `${[...head, ...changes].join('\n')}\n\n`
  }
  const setText = (index: number, said: string, version: number): string =>
    `description: ${said}\nversion: "1.${index}.${version}"\n`
  const leafFile = (index: number): [string, string] => [leafPath(index), leafText(index, generations[index] ?? 1)]

  function change(number: number): { subject: string; files: Record<string, string> } {
    const at = (number * 7919) % leaves
    const first = at - (at % PER_SET)
    if (number % 50 === 0) {
      versions.set(first, number)
      const members = Array.from({ length: Math.min(PER_SET, leaves - first) }, (_, offset) => first + offset)
      for (const index of members) generations[index] = (generations[index] ?? 1) + 1
      const files = Object.fromEntries(members.map(leafFile))
      return {
        subject: `Bump ${setPath(first)}`,
        files: { ...files, [`${setPath(first)}/set.yaml`]: setText(first, 'a set', number) },
      }
    }
    if (number % 200 === 10) {
      return { subject: `Say more of it all`, files: { 'deployment.yaml': deploymentText(`as of ${number}`) } }
    }
    if (number % 100 === 20) {
      const group = dirname(setPath(first))
      return { subject: `Say more of ${group}`, files: { [`${group}/set.yaml`]: `description: group, ${number}\n` } }
    }
    if (number % 10 === 0) {
      const text = setText(first, `a set, ${number}`, versions.get(first) ?? 0)
      return { subject: `Say more of ${setPath(first)}`, files: { [`${setPath(first)}/set.yaml`]: text } }
    }
    const index = number % 7 === 0 ? busy : at
    generations[index] = (generations[index] ?? 1) + 1
    return { subject: `Bump ${leafName(index)} to ${generations[index]}`, files: Object.fromEntries([leafFile(index)]) }
  }

  const stream = await importing()
  const begin: Record<string, string> = { 'deployment.yaml': deploymentText('the beginning') }
  for (let index = 0; index < leaves; index++) {
    if (index % PER_SET === 0) {
      begin[`${setPath(index)}/set.yaml`] = setText(index, 'a set', 0)
      begin[`${dirname(setPath(index))}/set.yaml`] = 'description: a group of sets\n'
      begin[`${setPath(index)}/service.conf`] = `workers = ${index}\nlog = info\n`
    }
    const [path, text] = leafFile(index)
    begin[path] = text
  }
  await stream.write(commitText(0, 'Begin', begin))
  for (let number = 1; number < commits; number++) {
    const { subject, files } = change(number)
    await stream.write(commitText(number, subject, files))
  }
  await stream.end()
  await git('reset', '-q', '--hard')
  let next = commits
  return {
    folder,
    leaf: leafName(busy),
    file: leafPath(busy),
    git,
    async bump() {
      const number = next++
      generations[busy] = (generations[busy] ?? 1) + 1
      const more = await importing()
      const text = commitText(number, `Bump ${leafName(busy)}`, Object.fromEntries([leafFile(busy)]))
      await more.write(text.replace('\nM 100644', '\nfrom refs/heads/main^0\nM 100644'))
      await more.end()
      return git('rev-parse', 'main')
    },
    end: () => rm(folder, { recursive: true, force: true }),
  }
}
