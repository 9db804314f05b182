// The programs of an engine, unpacked from Debian packages and linked into one folder: dockerd and containerd of the
// wanted suite; runc, iptables and busybox of the host's own, because those must fit the host's C library.

import { mkdir, readdir, rm, symlink } from 'node:fs/promises'
import { delimiter, join } from 'node:path'
import { fetchPackages } from './debian-packages.ts'
import type { PackageWanted } from './debian-packages.ts'
import { GroundFault } from './ground-fault.ts'
import { exists, firstExisting } from './paths.ts'
import { linkMissingLibraries } from './shared-libraries.ts'

export type EngineSuite = 'bookworm' | 'trixie' | 'sid'

export interface EngineSoftware {
  /** Holds dockerd and all that it looks for by name. */
  readonly binFolder: string
  /** Static busybox, for interfaces and images. */
  readonly busybox: string
  readonly environment: Readonly<Record<string, string>>
  /** The version of the docker.io package. */
  readonly packageVersion: string
  /** Says where the pinned version was gone and which one is used instead; null where all is as pinned. */
  readonly remark: string | null
}

/** The version each suite is pinned to, and what is taken when the mirror has only another build of it. */
const pinned: Readonly<Record<EngineSuite, PackageWanted & { readonly version: string }>> = {
  bookworm: { name: 'docker.io', version: '20.10.24+dfsg1-1+deb12u1+b6', otherwise: '20.10.24*' },
  trixie: { name: 'docker.io', version: '26.1.5+dfsg1-9+deb13u1', otherwise: '26.1.5*' },
  sid: { name: 'docker.io', version: '28.5.2+dfsg4-5', otherwise: '28.5.2*' },
}

const iptablesPackages = [
  'iptables',
  'libip4tc2',
  'libip6tc2',
  'libmnl0',
  'libnetfilter-conntrack3',
  'libnfnetlink0',
  'libnftnl11',
  'libxtables12',
]

/**
 * Unpacks what is missing below `cacheFolder` and links it into `folder`/bin and `folder`/lib, which are made anew.
 * Throws GroundFault.
 */
export async function installEngineSoftware(
  suite: EngineSuite,
  folder: string,
  cacheFolder: string,
): Promise<EngineSoftware> {
  const wanted = pinned[suite]
  const engine = await fetchPackages(
    {
      suite,
      packages: [
        wanted,
        { name: 'containerd' },
        { name: suite === 'sid' ? 'tini-static' : 'tini' },
        ...(suite === 'bookworm' ? [{ name: 'libdevmapper1.02.1' }] : []),
      ],
    },
    cacheFolder,
  )
  const hostIptables = await onPath('iptables')
  const own = await fetchPackages(
    {
      suite: 'host',
      packages: ['runc', 'libseccomp2', 'busybox-static', ...(hostIptables ? [] : iptablesPackages)].map((name) => ({
        name,
      })),
    },
    cacheFolder,
  )

  const binFolder = join(folder, 'bin')
  const libFolder = join(folder, 'lib')
  for (const made of [binFolder, libFolder]) {
    await rm(made, { recursive: true, force: true })
    await mkdir(made, { recursive: true })
  }
  const link = (from: string, name: string): Promise<void> => symlink(from, join(binFolder, name))
  for (const program of ['dockerd', 'docker-proxy', 'containerd', 'containerd-shim-runc-v2', 'tini-static'])
    await link(await programIn(engine.root, program), program)
  await link(await programIn(own.root, 'runc'), 'runc')
  const busybox = await programIn(own.root, 'busybox')
  await link(busybox, 'busybox')
  // The engine calls iptables inside each container's network namespace, for the DNS server on 127.0.0.11.
  if (!hostIptables)
    for (const name of ['iptables', 'ip6tables', 'iptables-save', 'iptables-restore'])
      await link(await programIn(own.root, 'xtables-nft-multi'), name)

  await linkMissingLibraries(binFolder, libFolder, [own.root, engine.root])
  const packageVersion = engine.packages.find(({ name }) => name === 'docker.io')?.version ?? 'unknown'
  return {
    binFolder,
    busybox,
    environment: {
      PATH: [binFolder, process.env['PATH'] ?? '', '/usr/sbin', '/usr/bin', '/sbin', '/bin'].join(delimiter),
      LD_LIBRARY_PATH: libFolder,
      ...(hostIptables ? {} : { XTABLES_LIBDIR: await extensionFolder(own.root) }),
    },
    packageVersion,
    remark:
      packageVersion === wanted.version
        ? null
        : `docker.io ${wanted.version} is no longer on the mirror; ${packageVersion} is used instead`,
  }
}

/** Static busybox of the host's own distribution, unpacked; resolves to the program's path. Throws GroundFault. */
export async function fetchBusybox(cacheFolder: string): Promise<string> {
  const { root } = await fetchPackages({ suite: 'host', packages: [{ name: 'busybox-static' }] }, cacheFolder)
  return programIn(root, 'busybox')
}

/** Finds a program where Debian packages put programs. Throws GroundFault. */
export async function programIn(root: string, name: string): Promise<string> {
  for (const folder of ['usr/bin', 'usr/sbin', 'bin', 'sbin']) {
    const path = join(root, folder, name)
    if (await exists(path)) return path
  }
  throw new GroundFault(
    `The program ${name} is not in the packages that were unpacked in ${root}.`,
    `Remove the folder above it and try again.`,
  )
}

async function extensionFolder(root: string): Promise<string> {
  for (const name of await readdir(join(root, 'usr/lib')).catch(() => [])) {
    const folder = join(root, 'usr/lib', name, 'xtables')
    if (await exists(folder)) return folder
  }
  return join(root, 'usr/lib/xtables')
}

async function onPath(name: string): Promise<boolean> {
  const folders = [...(process.env['PATH'] ?? '').split(delimiter), '/usr/sbin', '/sbin']
  return (await firstExisting(folders.map((folder) => join(folder, name)))) !== undefined
}
