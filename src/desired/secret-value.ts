// A secret's plain text in memory. However it is printed, written into JSON or looked at, it says `(secret)`; only
// `reveal` gives the bytes, and whoever calls it hands them to an engine or to a keyed digest and to nothing else.

export const HIDDEN = '(secret)'

export class SecretValue {
  readonly #bytes: Uint8Array

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes
  }

  /** The bytes themselves. */
  reveal(): Uint8Array {
    return this.#bytes
  }

  toString(): string {
    return HIDDEN
  }

  toJSON(): string {
    return HIDDEN
  }

  /** What Node's `util.inspect`, and with it `console.log`, shows. */
  [Symbol.for('nodejs.util.inspect.custom')](): string {
    return HIDDEN
  }
}

/** A secret's bytes as a text; null where they are no UTF-8. */
export function secretText(value: SecretValue): string | null {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(value.reveal())
  } catch {
    return null
  }
}
