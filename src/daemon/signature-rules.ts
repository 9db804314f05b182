// What this host asks of commits, from its settings: signatures, and that the branch goes forward.

import { join } from 'node:path'

import type { Settings } from './settings.ts'

export interface SignatureRules {
  readonly mode: 'off' | 'head' | 'every'
  /** The file of trusted keys; it must be there where signatures are asked for. */
  readonly keysFile: string
  readonly forwardOnly: boolean
}

/** Who names a file of keys wants signatures to be looked at, whether a mode is named or not. */
export function signatureRules(settings: Settings, state: string): SignatureRules {
  const { verify, verify_keys: named, forward_only: forwardOnly } = settings
  const inOne = typeof verify === 'object' ? verify : null
  const keys = inOne?.keys ?? named
  const said = typeof verify === 'string' ? verify : inOne?.mode
  const mode = said ?? (inOne === null && keys === undefined ? 'off' : 'head')
  return { mode, keysFile: keys ?? join(state, 'allowed_signers'), forwardOnly }
}
