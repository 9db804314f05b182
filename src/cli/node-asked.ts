// The leaf or set that a person means, by its name, or by its path as seen from the current folder.

import { isMisnamed, type Misnamed } from '../daemon/named-set.ts'
import { nodeNamed, type KnownNodes } from '../daemon/node-history.ts'
import type { HistoryNode } from '../report/history.ts'
import type { Opened } from './open-command.ts'

export function nodeAsked(
  known: KnownNodes,
  asked: string | undefined,
  { place }: Pick<Opened, 'place'>,
): HistoryNode | Misnamed {
  const named = nodeNamed(known, asked)
  if (asked === undefined || !isMisnamed(named)) return named
  const wanted = asked.replace(/^\.\//, '').replace(/\/+$/, '')
  const leaf = [...known.leaves.values()].find(({ file, to }) => to !== null && place(file) === wanted)
  const set = [...known.sets].find((path) => place(path) === wanted)
  const found = leaf?.leaf ?? set
  return found === undefined ? named : nodeNamed(known, found)
}
