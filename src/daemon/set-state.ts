// Writes `state:` into the file of a set, and nothing else: comments, layout and quotes stay as they are.

import { setInYaml } from '../desired/yaml-edit.ts'

export type SetState = 'running' | 'stopped'

/** The text with this state; null where the text is no mapping that could hold one. */
export function withState(text: string, state: SetState): string | null {
  return setInYaml(text, ['state'], state)
}
