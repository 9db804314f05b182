// Host variables in the ledger's form of a spec: they stay names, so that a host's own values never reach a ledger
// digest. Parsers of typed scalars let a text with a symbol pass as it is.

const OPEN = '\u27e6'
const CLOSE = '\u27e7'

/** The text that stands for host variable `name`, with what follows its name in the template (`:-80`) in hex. */
export function symbolFor(name: string, modifier: string): string {
  const suffix = modifier === '' ? '' : `~${Buffer.from(modifier, 'utf8').toString('hex')}`
  return `${OPEN}${name}${suffix}${CLOSE}`
}

export function containsSymbol(text: string): boolean {
  return text.includes(OPEN)
}
