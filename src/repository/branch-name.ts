// Which names a branch may have.

/** Why a branch cannot have this short name; null where it can. Git documentation, git-check-ref-format, with `--branch`. */
export function whyNoBranch(name: string): string | null {
  if (name === '') return 'it is empty'
  if (name === 'HEAD' || name === '@') return 'Git means something else by it'
  if (name.startsWith('-')) return 'it begins with a dash'
  if (name.includes('..')) return 'it has two dots in a row'
  if (name.includes('@{')) return 'it has @{ in it'
  if (name.endsWith('.')) return 'it ends in a dot'
  // oxlint-disable-next-line no-control-regex
  const odd = /[\u0000-\u0020\u007f~^:?*[\\\ufffd]/.exec(name)?.[0]
  if (odd !== undefined) return odd === ' ' ? 'it has a blank' : `it has the character ${JSON.stringify(odd)}`
  for (const part of name.split('/')) {
    if (part === '') return 'it has an empty part'
    if (part.startsWith('.')) return `a part of it begins with a dot (${part})`
    if (part.endsWith('.lock')) return `a part of it ends in .lock (${part})`
    if (Buffer.byteLength(part) > 200) return 'it is too long'
  }
  return null
}
