// Finds the shared libraries that unpacked programs need and the host lacks.

import { open, readdir, symlink } from 'node:fs/promises'
import { join } from 'node:path'
import { GroundFault } from './ground-fault.ts'
import { firstExisting } from './paths.ts'
import { runCommand } from './run-command.ts'

/**
 * Links into `libFolder` what the programs in `binFolder` lack, from the unpacked `roots`. Only that, so that the
 * host's own programs keep their own libraries. Throws GroundFault where a library is nowhere.
 */
export async function linkMissingLibraries(
  binFolder: string,
  libFolder: string,
  roots: readonly string[],
): Promise<void> {
  const places: string[] = []
  for (const root of roots) {
    for (const base of ['usr/lib', 'lib']) {
      for (const name of await readdir(join(root, base)).catch(() => [])) {
        if (name.includes('-linux-')) places.push(join(root, base, name))
      }
    }
  }
  // A library may need another one, which shows only once the first is found.
  for (let round = 0; round < 4; round++) {
    let linked = 0
    for (const program of await readdir(binFolder)) {
      const path = join(binFolder, program)
      if (!(await isElf(path))) continue
      const listing = await runCommand('ldd', [path], { env: { ...process.env, LD_LIBRARY_PATH: libFolder } })
      const newer = /version `(\S+)' not found/.exec(listing.stderr + listing.stdout)?.[1]
      if (newer !== undefined)
        throw new GroundFault(
          `The program ${program} needs a newer C library (${newer}) than this machine has.`,
          'Use the engine of an older Debian suite, or a newer Debian.',
        )
      for (const [, missing] of listing.stdout.matchAll(/^\s*(\S+) => not found/gm)) {
        const from =
          missing === undefined ? undefined : await firstExisting(places.map((place) => join(place, missing)))
        if (missing === undefined || from === undefined)
          throw new GroundFault(
            `The program ${program} needs the library ${missing}, which this machine lacks.`,
            `Install the package that holds it (\`apt-get install docker.io iptables\` brings all of them), then try again.`,
          )
        await symlink(from, join(libFolder, missing)).catch((error: NodeJS.ErrnoException) => {
          if (error.code !== 'EEXIST') throw error
        })
        linked++
      }
    }
    if (linked === 0) return
  }
}

async function isElf(path: string): Promise<boolean> {
  const file = await open(path)
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(4), 0, 4, 0)
    return bytesRead === 4 && buffer.toString('latin1') === '\x7fELF'
  } finally {
    await file.close()
  }
}
