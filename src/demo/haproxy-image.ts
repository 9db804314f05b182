// An image with Debian's own HAProxy in it, made on the spot: the program and the libraries it needs, from packages
// that are unpacked in a cache folder. Nothing is installed and no registry is asked.

import { readFile, readdir } from 'node:fs/promises'
import { basename, join } from 'node:path'
import type Docker from 'dockerode'
import { fetchPackages } from './debian-packages.ts'
import { programIn } from './engine-software.ts'
import { GroundFault } from './ground-fault.ts'
import { runCommand } from './run-command.ts'
import { standInImage } from './stand-in-images.ts'
import type { StandInFile } from './stand-in-images.ts'

export interface HaproxyImageWanted {
  /** `name:tag`, or several names for one image. */
  readonly reference: string | readonly string[]
  /** Where packages are kept between runs; see defaultCacheFolder. */
  readonly folder: string
}

/** Loads the image; resolves to its id, `sha256:…`. Throws GroundFault. */
export async function haproxyImage(engine: Docker, { reference, folder }: HaproxyImageWanted): Promise<string> {
  return standInImage(engine, { reference, files: await haproxyFiles(folder) })
}

async function haproxyFiles(folder: string): Promise<Readonly<Record<string, StandInFile>>> {
  const { root } = await fetchPackages({ suite: 'host', packages: [{ name: 'haproxy' }] }, folder)
  const program = await programIn(root, 'haproxy')
  const packages = (await libraryPackages()).map((name) => ({ name }))
  const libraries = await fetchPackages({ suite: 'host', packages }, folder)
  const files: Record<string, StandInFile> = {
    '/usr/local/bin/haproxy': { content: await readFile(program), mode: 0o755 },
  }
  const folders = await libraryFolders(libraries.root)
  // The packages' own loader: the host's may be of another version than the C library that goes into the image.
  const listing = await runCommand(await loaderIn(folders), ['--library-path', folders.join(':'), '--list', program])
  for (const line of listing.stdout.split('\n')) {
    const [, name, path] = /^\s*(\S+) => (\/\S+) \(0x/.exec(line) ?? []
    // The loader stands where programs look for it; the rest where it looks first.
    if (name !== undefined && path !== undefined) {
      const place = name.startsWith('/') ? name : `/lib/${basename(name)}`
      files[place] = { content: await readFile(path), mode: 0o755 }
    }
  }
  const missing = listing.stdout.split('\n').find((line) => line.includes('not found'))
  if (listing.code !== 0 || missing !== undefined) throw unreadable((missing ?? listing.stderr).trim())
  return files
}

function unreadable(why: string): GroundFault {
  return new GroundFault(
    `HAProxy cannot be put into an image: ${why}`,
    'Run `apt-get update` as root, remove the cache folder of the packages, then try again.',
  )
}

/** The program of the C library that starts others (ld.so(8)). Throws GroundFault. */
async function loaderIn(folders: readonly string[]): Promise<string> {
  for (const folder of folders) {
    const name = (await readdir(folder)).find((each) => /^ld(64|-linux\S*)\.so\.\d+$/.test(each))
    if (name !== undefined) return join(folder, name)
  }
  throw unreadable('the packages hold no C library')
}

/** All that Debian's package needs, whatever of it is installed here: names of packages. */
async function libraryPackages(): Promise<readonly string[]> {
  const important = ['-o', 'APT::Cache::Important=true', '--no-recommends', '--no-suggests']
  const args = ['depends', '--recurse', ...important, '--no-pre-depends', '--no-conflicts', '--no-breaks']
  const listing = await runCommand('apt-cache', [...args, '--no-replaces', '--no-enhances', 'haproxy'])
  const names = listing.stdout.split('\n').filter((line) => /^(lib|zlib1g)[a-z0-9.+-]*$/.test(line))
  if (names.length === 0)
    throw new GroundFault(
      `What HAProxy needs cannot be told: ${listing.stderr.trim()}`,
      'Run `apt-get update` as root, then try again.',
    )
  return [...new Set(names)].toSorted()
}

async function libraryFolders(root: string): Promise<readonly string[]> {
  const folders: string[] = []
  for (const base of ['usr/lib', 'lib']) {
    const names = await readdir(join(root, base)).catch(() => [])
    folders.push(...names.filter((name) => name.includes('-linux-')).map((name) => join(root, base, name)))
  }
  return folders
}
