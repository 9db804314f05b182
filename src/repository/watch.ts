// Watches a local repository's HEAD and refs and calls back when one may have moved: a hint, never a fact.

import { join } from 'node:path'

const DEBOUNCE_MS = 20

/** Starts at once; the returned function ends it. Failing to watch is no failure: somebody polls behind it. */
export function watchRefs(gitdir: string, callback: () => void): () => Promise<void> {
  let timer: NodeJS.Timeout | undefined
  let closed = false
  const hint = (): void => {
    timer ??= setTimeout(() => {
      timer = undefined
      callback()
    }, DEBOUNCE_MS)
  }
  const watcher = import('chokidar').then(({ watch }) => {
    if (closed) return null
    const places = [join(gitdir, 'HEAD'), join(gitdir, 'packed-refs'), join(gitdir, 'refs')]
    return watch(places, { ignoreInitial: true, ignored: (path) => path.endsWith('.lock') })
      .on('all', hint)
      .on('error', () => undefined)
  })
  watcher.catch(() => undefined)
  return async () => {
    closed = true
    clearTimeout(timer)
    await (await watcher.catch(() => null))?.close()
  }
}
