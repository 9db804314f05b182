// How a registry asks for a login: the header WWW-Authenticate, read. Pure.

export interface Challenge {
  /** In small letters: `bearer`, `basic`. */
  readonly scheme: string
  /** Names in small letters: `realm`, `service`, `scope`. */
  readonly parameters: Readonly<Record<string, string>>
}

/** Every challenge of the header, in its order (RFC 9110, 11.6.1); what cannot be read is left out. */
export function readChallenges(header: string): Challenge[] {
  const challenges: { scheme: string; parameters: Record<string, string> }[] = []
  const part =
    /\s*,?\s*(?:(?<name>[\w-]+)\s*=\s*(?:"(?<quoted>(?:[^"\\]|\\.)*)"|(?<bare>[^\s,"]+))|(?<scheme>[\w-]+)(?=\s|,|$))/y
  while (part.lastIndex < header.length) {
    const groups = part.exec(header)?.groups
    if (groups === undefined) break
    const { name, quoted, bare, scheme } = groups
    if (scheme !== undefined) challenges.push({ scheme: scheme.toLowerCase(), parameters: {} })
    else if (name !== undefined) {
      const current = challenges.at(-1)
      if (current !== undefined) current.parameters[name.toLowerCase()] = quoted?.replace(/\\(.)/g, '$1') ?? bare ?? ''
    }
  }
  return challenges
}
