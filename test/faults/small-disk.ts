// A file system in memory of a given size, that a test can fill.

import { execFile } from 'node:child_process'
import { mkdir, open, rm, statfs } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'

const run = promisify(execFile)

export interface SmallDisk {
  readonly folder: string
  /** Leaves about so many bytes. */
  fill(left: number): Promise<void>
  /** Takes away what `fill` wrote. */
  empty(): Promise<void>
  free(): Promise<number>
  remove(): Promise<void>
}

/** Needs root. One that was left over is used again. */
export async function smallDisk(folder: string, megabytes: number): Promise<SmallDisk> {
  await mkdir(folder, { recursive: true })
  const unmount = () => run('umount', ['--lazy', folder]).catch(() => undefined)
  await unmount()
  await run('mount', ['-t', 'tmpfs', '-o', `size=${megabytes}m`, 'tmpfs', folder])
  const filler = join(folder, 'filler')
  const free = async () => {
    const { bavail, bsize } = await statfs(folder)
    return bavail * bsize
  }
  return {
    folder,
    free,
    async fill(left) {
      const file = await open(filler, 'a')
      try {
        for (let room = (await free()) - left; room > 0; room = (await free()) - left) {
          const { bytesWritten } = await file.write(Buffer.alloc(Math.min(room, 1024 ** 2)))
          if (bytesWritten === 0) return
        }
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error
      } finally {
        await file.close()
      }
    },
    empty: () => rm(filler, { force: true }),
    async remove() {
      await unmount()
      await rm(folder, { recursive: true, force: true })
    },
  }
}
