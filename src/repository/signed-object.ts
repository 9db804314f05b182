// Where the signature stands in a commit object: cut out of one that is read, put into one that is made.
// Git documentation, gitformat-signature, "Commit signatures".

export interface SignedParts {
  /** What was signed: the object without its signature. */
  readonly payload: Buffer
  /** The armored text; null for a commit without a signature. */
  readonly signature: string | null
  /** Git would run several signatures into one text; none of them counts then. */
  readonly several: boolean
  /** It stands before a header that counts, and whoever stops reading at a signature would miss that header. */
  readonly tooEarly: boolean
}

const HEADER = 'gpgsig'

/** `content`: the raw commit, byte for byte, because whatever a parser leaves out was signed too. */
export function signedParts(content: Buffer): SignedParts {
  const payload: Buffer[] = []
  const signature: Buffer[] = []
  let count = 0
  let tooEarly = false
  let seen = false
  let inside: 'signature' | 'other' | null = null
  for (let at = 0; at < content.length;) {
    const end = content.indexOf(0x0a, at)
    const next = end < 0 ? content.length : end + 1
    const line = content.subarray(at, next)
    const continues = line[0] === 0x20
    if (!continues) {
      const text = line.toString('latin1', 0, 16)
      // A signature for another hash function, as in a repository that has both, is not part of what was signed.
      inside = text.startsWith(`${HEADER} `) ? 'signature' : text.startsWith(HEADER) ? 'other' : null
      if (inside === 'signature') count++
      if (/^(tree|parent|author|committer) /.test(text) && seen) tooEarly = true
      seen ||= inside !== null
    }
    if (inside === 'signature') signature.push(continues ? line.subarray(1) : line.subarray(HEADER.length + 1))
    else if (line[0] === 0x0a) {
      payload.push(content.subarray(at))
      break
    } else if (inside === null) payload.push(line)
    at = next
  }
  return {
    payload: Buffer.concat(payload),
    signature: count === 0 ? null : Buffer.concat(signature).toString('latin1'),
    several: count > 1,
    tooEarly,
  }
}

/** `content` with the armored signature as the last of its headers, where Git puts it. */
export function withSignature(content: Buffer, armored: string): Buffer {
  const blank = content.indexOf('\n\n')
  const end = blank < 0 ? content.length : blank + 1
  const header = `${HEADER} ${armored.trimEnd().split('\n').join('\n ')}\n`
  return Buffer.concat([content.subarray(0, end), Buffer.from(header, 'latin1'), content.subarray(end)])
}
