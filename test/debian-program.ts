// Programs that tests need as the other side and that a bare machine lacks: Debian's packages, unpacked and not installed.

import { chmod, mkdtemp, readdir, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'

import { fetchPackages } from '../src/demo/debian-packages.ts'
import { programIn } from '../src/demo/engine-software.ts'
import { defaultCacheFolder } from '../src/demo/host-system.ts'
import { runCommand } from '../src/demo/run-command.ts'

export interface DebianProgram {
  readonly file: string
  /** Where its libraries are; empty for a program of the machine's own. */
  readonly env: Readonly<Record<string, string>>
}

const SYSTEM = ['/usr/local/bin', '/usr/bin', '/bin', '/usr/local/sbin', '/usr/sbin', '/sbin']

/** The machine's own program of this name, else that of the package. Throws GroundFault. */
export async function debianProgram(name: string, packageName: string): Promise<DebianProgram> {
  for (const folder of [...(process.env['PATH'] ?? '').split(delimiter), ...SYSTEM]) {
    const names: readonly string[] = await readdir(folder).catch(() => [])
    if (names.includes(name)) return { file: join(folder, name), env: {} }
  }
  const cache = defaultCacheFolder(process.env)
  const { root } = await fetchPackages({ suite: 'host', packages: [{ name: packageName }] }, cache)
  const file = await programIn(root, name)
  const listing = await runCommand('ldd', [file])
  if (!listing.stdout.includes('not found')) return { file, env: {} }
  const packages = (await libraryPackages(packageName)).map((each) => ({ name: each }))
  const libraries = (await fetchPackages({ suite: 'host', packages }, cache)).root
  const folders = await Promise.all(['lib', 'usr/lib'].map((place) => librariesIn(join(libraries, place))))
  return { file, env: { LD_LIBRARY_PATH: folders.flat().join(':') } }
}

/** Puts a program that is missing where everything that this process starts finds it. */
export async function ensureProgram(name: string, packageName: string): Promise<void> {
  const { file, env } = await debianProgram(name, packageName)
  const settings = Object.entries(env).map(([key, value]) => `${key}='${value}' `)
  if (settings.length === 0 && SYSTEM.some((folder) => file === join(folder, name))) return
  const bin = await (folder ??= mkdtemp(join(tmpdir(), 'graft-bin-')))
  await writeFile(join(bin, name), `#!/bin/sh\n${settings.join('')}exec '${file}' "$@"\n`)
  await chmod(join(bin, name), 0o755)
  const path = process.env['PATH'] ?? ''
  if (!path.split(delimiter).includes(bin)) process.env['PATH'] = [bin, path].join(delimiter)
}

let folder: Promise<string> | undefined

/** Without the C library, of which the host's own fits. */
async function libraryPackages(of: string): Promise<readonly string[]> {
  const less = ['recommends', 'suggests', 'conflicts', 'breaks', 'replaces', 'enhances'].map((word) => `--no-${word}`)
  const listing = await runCommand('apt-cache', ['depends', '--recurse', ...less, of])
  const names = listing.stdout.split('\n').filter((line) => /^(lib|zlib1g)[a-z0-9.+-]*$/.test(line))
  return [...new Set(names)].filter((name) => !/^libc6$|^libpam-|perl/.test(name)).toSorted()
}

async function librariesIn(folder: string): Promise<string[]> {
  const names: readonly string[] = await readdir(folder).catch(() => [])
  return [folder, ...names.filter((name) => name.includes('-linux-')).map((name) => join(folder, name))]
}
