// Where graft keeps what is this host's own: the clone and the history index of each repository, a lock and a socket
// for each deployment, and the key that run digests are made with. All of it but the key can be deleted.

import { createHash, randomBytes } from 'node:crypto'
import { link, mkdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'

export interface StateFolder {
  readonly root: string
  /** Folder of one repository and the folder inside it that is deployed. */
  repository(repo: string, path: string): string
  /** Folder of one deployment on one engine. */
  deployment(name: string, engineId: string): string
  /** 32 bytes, made at the first use, readable by the owner only. */
  hostKey(): Promise<Uint8Array>
}

/** Makes the folder where it is missing, for its owner only. */
export async function openStateFolder(root: string): Promise<StateFolder> {
  await mkdir(root, { recursive: true, mode: 0o700 })
  return {
    root,
    repository: (repo, path) => join(root, 'repositories', `${slug(repo)}-${short(`${repo}\n${path}`)}`),
    deployment: (name, engineId) => join(root, 'deployments', `${name}-${short(engineId)}`),
    async hostKey() {
      const file = join(root, 'host.key')
      try {
        return await readExactly(file)
      } catch (error) {
        if (!isMissing(error)) throw error
      }
      // Whole or not at all, because another graft may read it in the same moment.
      const beside = `${file}.${process.pid}.${randomBytes(4).toString('hex')}`
      try {
        await writeFile(beside, randomBytes(32), { flag: 'wx', mode: 0o600 })
        await link(beside, file)
      } catch (error) {
        // Another graft was faster.
        if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error
      } finally {
        await rm(beside, { force: true })
      }
      return await readExactly(file)
    },
  }
}

async function readExactly(file: string): Promise<Uint8Array> {
  const key = await readFile(file)
  if (key.length !== 32) {
    throw new Error(`${file} holds ${key.length} bytes instead of 32; move it away, and graft makes a new one`)
  }
  return key
}

function isMissing(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ENOENT'
}

/** For people who look into the folder. */
function slug(repo: string): string {
  const last =
    repo
      .replace(/\/+$/, '')
      .replace(/\.git$/, '')
      .split(/[/:]/)
      .at(-1) ?? ''
  return last.replace(/[^A-Za-z0-9._-]/g, '-').slice(0, 40) || 'repository'
}

function short(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 12)
}
