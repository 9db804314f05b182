// Writes `state:` into the file of a set, and nothing else: comments, layout and quotes stay as they are.

import { isMap, isScalar, parseDocument, type Document } from 'yaml'

export type SetState = 'running' | 'stopped'

/** The text with this state; null where the text is no mapping that could hold one. */
export function withState(text: string, state: SetState): string | null {
  const document = parseDocument(text)
  const { contents } = document
  if (document.errors.length > 0 || !(contents === null || isMap(contents))) return null
  const node: unknown = document.get('state', true)
  const range = isScalar(node) ? node.range : null
  const spliced =
    range === null || range === undefined
      ? `${text}${text === '' || text.endsWith('\n') ? '' : '\n'}state: ${state}\n`
      : `${text.slice(0, range[0])}${state}${text.slice(range[1])}`
  if (says(spliced, document, state)) return spliced
  // A mapping in braces, a document with an end mark: the writer of YAML does it, at the price of some layout.
  document.set('state', state)
  return document.toString({ lineWidth: 0, flowCollectionPadding: false })
}

/** Whether a text means what the document did, with this state. */
function says(text: string, before: Document, state: SetState): boolean {
  const after = parseDocument(text)
  if (after.errors.length > 0) return false
  const values = (document: Document): Record<string, unknown> => (document.toJS() ?? {}) as Record<string, unknown>
  const rest = (value: Record<string, unknown>) => JSON.stringify({ ...value, state: null }, sortedKeys(value))
  const now = values(after)
  return now['state'] === state && rest(now) === rest(values(before))
}

function sortedKeys(value: unknown): string[] {
  const keys = new Set<string>(['state'])
  const collect = (inner: unknown): void => {
    if (typeof inner !== 'object' || inner === null) return
    for (const [key, more] of Object.entries(inner)) {
      keys.add(key)
      collect(more)
    }
  }
  collect(value)
  return [...keys].toSorted()
}
