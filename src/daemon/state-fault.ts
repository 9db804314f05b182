// What a full disk under the state folder means, in words: Node's own error names neither file nor folder.

export interface StateFault {
  readonly message: string
  readonly remedy: string
}

/** Null where it is something else. `root`: the state folder. */
export function stateFault(error: unknown, root: string): StateFault | null {
  const code = error instanceof Error && 'code' in error ? error.code : null
  if (code !== 'ENOSPC' && code !== 'EDQUOT') return null
  return {
    message: `there is no space left for graft's state folder ${root}`,
    remedy: 'Make some room on its disk; graft goes on by itself',
  }
}
