// Finds a busybox that runs in an empty image: the host's own where it is static, else Debian's package, unpacked.

import { readFile } from 'node:fs/promises'
import { fetchBusybox } from './engine-software.ts'
import { defaultCacheFolder } from './host-system.ts'

/** Resolves to the program's path. Throws GroundFault where there is none to be had. */
export async function findStaticBusybox(cacheFolder = defaultCacheFolder(process.env)): Promise<string> {
  for (const path of ['/bin/busybox', '/usr/bin/busybox']) {
    const program = await readFile(path).catch(() => null)
    if (program !== null && isStatic(program)) return path
  }
  return fetchBusybox(cacheFolder)
}

/** A 64-bit little-endian ELF program without an interpreter (PT_INTERP, elf(5)) needs no library. */
function isStatic(program: Buffer): boolean {
  if (program.length < 64 || program.subarray(0, 6).toString('latin1') !== '\x7fELF\x02\x01') return false
  const offset = Number(program.readBigUInt64LE(32))
  const size = program.readUInt16LE(54)
  for (let index = 0; index < program.readUInt16LE(56); index++)
    if (program.readUInt32LE(offset + index * size) === 3) return false
  return true
}
