// Fetches Debian packages and unpacks them in a cache folder. Nothing is installed and no maintainer script runs.

import { createHash, randomBytes } from 'node:crypto'
import { mkdir, readFile, readdir, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { GroundFault } from './ground-fault.ts'
import { hostSystem } from './host-system.ts'
import { lastLine, preparePrivateApt } from './private-apt.ts'
import { isAlive } from './process-tree.ts'
import { runCommand } from './run-command.ts'

export interface PackageWanted {
  readonly name: string
  /** The exact version; absent: the suite's newest. */
  readonly version?: string
  /** Taken where the exact version is gone from the mirror; may end in `*`. */
  readonly otherwise?: string
}

export interface PackageRequest {
  /** A Debian suite (`trixie`), or `host` for the distribution that this machine runs. */
  readonly suite: string
  readonly packages: readonly PackageWanted[]
}

export interface UnpackedPackages {
  /** Folder that stands for `/` of the packages. */
  readonly root: string
  /** What was really fetched. */
  readonly packages: readonly { readonly name: string; readonly version: string }[]
}

/**
 * Unpacks the packages below `folder` and resolves to where. What is already there is used again, and two processes
 * may ask for the same at once: each unpacks beside and the first rename wins. Throws GroundFault.
 */
export async function fetchPackages(request: PackageRequest, folder: string): Promise<UnpackedPackages> {
  const host = await hostSystem()
  const suite = request.suite === host.suite && host.distribution === 'debian' ? 'host' : request.suite
  const wanted = JSON.stringify([suite === 'host' ? `${host.distribution}-${host.suite}` : suite, request.packages])
  const key = createHash('sha256').update(wanted).digest('hex').slice(0, 12)
  const place = join(folder, `${suite === 'host' ? host.suite : suite}-${key}`)
  const found = await readUnpacked(place)
  if (found !== null) return found

  await mkdir(folder, { recursive: true })
  await removeAbandoned(folder)
  const beside = join(folder, `.unpacking-${process.pid}-${randomBytes(4).toString('hex')}`)
  try {
    await mkdir(join(beside, 'downloads'), { recursive: true })
    const packages = await download(suite, request.packages, folder, beside)
    const root = join(beside, 'root')
    for (const { file } of packages) {
      const unpack = await runCommand('dpkg', ['-x', file, root])
      if (unpack.code !== 0)
        throw new GroundFault(
          `The package ${file} could not be unpacked: ${lastLine(unpack.stderr)}`,
          `Check that there is room in ${folder}, then try again.`,
        )
    }
    await rm(join(beside, 'downloads'), { recursive: true })
    await rm(join(beside, 'apt'), { recursive: true, force: true })
    const record = packages.map(({ name, version }) => ({ name, version }))
    await writeFile(join(beside, 'packages.json'), JSON.stringify(record))
    await rename(beside, place).catch((error: NodeJS.ErrnoException) => {
      // Another process was faster and its folder is as good as ours.
      if (error.code !== 'ENOTEMPTY' && error.code !== 'EEXIST') throw error
    })
  } finally {
    await rm(beside, { recursive: true, force: true })
  }
  const unpacked = await readUnpacked(place)
  if (unpacked === null)
    throw new GroundFault(
      `The folder ${place} exists and does not hold what was unpacked.`,
      'Remove it, then try again.',
    )
  return unpacked
}

async function readUnpacked(place: string): Promise<UnpackedPackages | null> {
  const text = await readFile(join(place, 'packages.json'), 'utf8').catch(() => null)
  if (text === null) return null
  return { root: join(place, 'root'), packages: JSON.parse(text) as UnpackedPackages['packages'] }
}

interface Downloaded {
  readonly name: string
  readonly version: string
  readonly file: string
}

async function download(
  suite: string,
  packages: readonly PackageWanted[],
  folder: string,
  beside: string,
): Promise<readonly Downloaded[]> {
  const unpackKeyring = async (): Promise<string> =>
    (await fetchPackages({ suite: 'host', packages: [{ name: 'debian-archive-keyring' }] }, folder)).root
  const apt = suite === 'host' ? [] : await preparePrivateApt(suite, join(beside, 'apt'), unpackKeyring)
  const downloads = join(beside, 'downloads')
  const attempt = async (exact: boolean): Promise<string | null> => {
    const names = packages.map((wanted) => {
      const version = exact ? wanted.version : (wanted.otherwise ?? wanted.version)
      return version === undefined ? wanted.name : `${wanted.name}=${version}`
    })
    // Root may read every folder, apt's own user may not reach a cache below a home.
    const args = [...apt, '-o', 'APT::Sandbox::User=root', 'download', ...names]
    const outcome = await runCommand('apt-get', args, { cwd: downloads })
    if (outcome.missing)
      throw new GroundFault(
        'Debian packages cannot be fetched here: there is no apt-get on this machine.',
        'Run this on Debian or Ubuntu.',
      )
    return outcome.code === 0 ? null : lastLine(outcome.stderr)
  }
  let trouble = await attempt(true)
  if (trouble !== null && suite === 'host' && process.getuid?.() === 0) {
    // A fresh machine has no package lists yet, or lists that are older than the mirror.
    await runCommand('apt-get', ['update'])
    trouble = await attempt(true)
  }
  if (trouble !== null && packages.some((wanted) => wanted.otherwise !== undefined)) trouble = await attempt(false)
  if (trouble !== null)
    throw new GroundFault(
      `Debian packages could not be fetched (${packages.map((wanted) => wanted.name).join(', ')}): ${trouble}`,
      suite === 'host' && process.getuid?.() !== 0
        ? 'Run `apt-get update` as root, check that this machine reaches its package mirror, then try again.'
        : 'Check that this machine reaches its package mirror, then try again.',
    )
  return Promise.all((await readdir(downloads)).toSorted().map((name) => describe(join(downloads, name))))
}

async function describe(file: string): Promise<Downloaded> {
  const fields = await runCommand('dpkg-deb', ['-W', '--showformat=${Package} ${Version}', file])
  const [name = '', version = ''] = fields.stdout.split(' ')
  return { name, version, file }
}

/** Removes what processes that no longer live left half unpacked. */
async function removeAbandoned(folder: string): Promise<void> {
  for (const name of await readdir(folder)) {
    const pid = /^\.unpacking-(\d+)-/.exec(name)?.[1]
    if (pid !== undefined && !(await isAlive(Number(pid))))
      await rm(join(folder, name), { recursive: true, force: true })
  }
}
