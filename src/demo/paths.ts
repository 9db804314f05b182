// Asks whether something is at a path.

import { access } from 'node:fs/promises'

/** False also where it may not be looked at. */
export async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  )
}

/** The first path at which something is. */
export async function firstExisting(paths: readonly string[]): Promise<string | undefined> {
  for (const path of paths) if (await exists(path)) return path
  return undefined
}
