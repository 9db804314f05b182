// Values written into several YAML files at once: each edit collected, the same one of several leaves once, and then all
// of them made, or none. Pure.

import type { FileChange } from '../repository/repository.ts'
import type { Snapshot } from '../repository/snapshot.ts'
import { editedSnapshot } from './edited-snapshot.ts'
import type { ValuePath } from './yaml-document.ts'
import { setInYaml } from './yaml-edit.ts'

/** One value that was written anew. */
export interface TextEdit {
  readonly file: string
  readonly path: ValuePath
  /** As it was written; null where the key was not there. */
  readonly from: string | null
  readonly to: string
  /** Leaves that asked for it. */
  readonly leaves: readonly string[]
  /** Path of the set in whose file it stands, where other leaves see it too; null in a leaf's own words. */
  readonly set: string | null
}

export interface TextEdits {
  readonly changes: readonly FileChange[]
  readonly edits: readonly TextEdit[]
  /** Worth telling: a variable that is no longer followed, a digest that went. */
  readonly remarks: readonly string[]
}

/** Why an edit cannot be made, and what would be right; each a clause without a closing full stop. */
export interface EditRefusal {
  readonly message: string
  readonly remedy: string
}

export function isRefusal(result: object): result is EditRefusal {
  return 'remedy' in result
}

export interface Writing {
  readonly file: string
  readonly path: ValuePath
  readonly from: string | null
  readonly to: string
  readonly leaf: string | null
  readonly set: string | null
}

/** Collects edits, the same one of several leaves once, and says where two want different things at one place. */
export interface Pad {
  write(writing: Writing): void
  readonly edits: Map<string, TextEdit>
  readonly clashes: EditRefusal[]
  readonly snapshot: Snapshot
}

export function createPad(snapshot: Snapshot): Pad {
  const edits = new Map<string, TextEdit>()
  const clashes: EditRefusal[] = []
  return {
    snapshot,
    edits,
    clashes,
    write({ file, path, from, to, leaf, set }) {
      const key = `${file}\n${path.join('\n')}`
      const earlier = edits.get(key)
      if (earlier !== undefined && earlier.to !== to) {
        const message = `${path.join('.')} in ${file} cannot be both ${earlier.to} and ${to}`
        clashes.push({ message, remedy: 'change one leaf at a time' })
        return
      }
      const leaves = [...(earlier?.leaves ?? []), ...(leaf === null ? [] : [leaf])]
      edits.set(key, { file, path, from, to, leaves, set })
    },
  }
}

/** Nothing is changed where a value stands there already. */
export function finish({ snapshot, edits, clashes }: Pad, remarks: readonly string[]): TextEdits | EditRefusal {
  const [clash] = clashes
  if (clash !== undefined) return clash
  let now = snapshot
  const contents = new Map<string, Uint8Array>()
  const made: TextEdit[] = []
  for (const edit of edits.values()) {
    const { file, path, to } = edit
    const content = now.entries.get(file)?.content ?? null
    const text = content === null ? null : new TextDecoder('utf-8', { ignoreBOM: true }).decode(content)
    const changed = text === null ? null : setInYaml(text, path, to)
    if (changed === null) {
      const message = `${path.join('.')} in ${file} cannot be written without changing something else`
      return { message, remedy: `write ${path.join('.')}: ${to} there yourself, and then graft bump --changed` }
    }
    if (changed === text) continue
    made.push(edit)
    contents.set(file, Buffer.from(changed))
    now = editedSnapshot(snapshot, changesOf(contents))
  }
  return { changes: changesOf(contents), edits: made, remarks }
}

function changesOf(contents: ReadonlyMap<string, Uint8Array>): FileChange[] {
  return [...contents].map(([path, content]) => ({ path, content }))
}
