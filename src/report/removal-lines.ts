// Removals that wait for somebody to say that they are meant, as lines.

import { heldWords, type RemovalHeld } from '../plan/removal-guard.ts'
import type { Palette } from './palette.ts'

/** Names in full; the rest is a number. */
const SHOWN = 12

interface RemovalWords {
  readonly palette: Palette
  /** What the removal limit asks the person to do. */
  readonly removalRemedy?: string
}

export function removalLines(held: RemovalHeld | null, { palette, removalRemedy }: RemovalWords): string[] {
  if (held === null) return []
  const names = held.names.slice(0, SHOWN).join(', ')
  const rest = held.names.length > SHOWN ? ` and ${held.names.length - SHOWN} more` : ''
  return [
    `${palette.alarm(' NOTHING IS REMOVED ')} ${heldWords(held)}: ${names}${rest}`,
    ...(removalRemedy === undefined ? [] : [`  ${palette.accent('→')} ${removalRemedy}`]),
  ]
}
