// The keys of a leaf, each read by its own schema from the table, so that every mistake is found at once.

import { type Issue, MOST_ISSUES } from './issue.ts'
import { leafKeys, type LeafValues, servedNames } from './service-keys.ts'
import { isExtension, unknownKey } from './shapes.ts'
import { cut } from './show.ts'
import { exampleOf, translate } from './translate.ts'

/** Advice for keys of other files that people write into a leaf. */
const ELSEWHERE: Readonly<Record<string, string>> = {
  services: 'write each service as a file of its own, NAME.yaml, with its keys at the top',
  name: "leave it out: the file's name is the leaf's name",
  version: 'write it in a set.yaml, where it becomes ${version}, or name the tag in image',
  variables: 'write it in a set.yaml or in deployment.yaml',
  state: 'write it in a set.yaml',
  suspend: 'write it in a set.yaml',
  gate: 'write healthcheck and update',
}

/**
 * Reads every key of `raw` that `except` does not name. `prefix` is where `raw` stands in its file. Values of keys with
 * issues are absent from the result.
 */
export function readLeafKeys(
  raw: object,
  prefix: readonly (string | number)[] = [],
  except: Readonly<Record<string, string>> = {},
): { values: LeafValues; issues: Issue[] } {
  const values: Record<string, unknown> = {}
  const issues: Issue[] = []
  for (const [name, value] of Object.entries(raw)) {
    if (isExtension(name)) continue
    const path = [...prefix, name]
    const key = Object.hasOwn(except, name) ? undefined : leafKeys.get(name)
    if (key === undefined && issues.length >= MOST_ISSUES) {
      // Beyond what is shown: counted, without the work of looking for the key that was meant.
      issues.push({ path, at: 'key', message: `unknown key ${cut(name)}`, remedy: 'leave it out' })
      continue
    }
    if (key === undefined || !key.served) {
      const wrong =
        key === undefined
          ? unknownKey(name, servedNames, { ...ELSEWHERE, ...except }, 'does not belong here')
          : unknownKey(name, servedNames, { [name]: key.advice }, 'is not served')
      issues.push({ path, at: 'key', message: wrong.mistake, remedy: wrong.remedy })
      continue
    }
    const read = key.schema.safeParse(value)
    if (read.success) {
      if (read.data !== undefined) values[name] = read.data
    } else {
      issues.push(...translate(read.error.issues, { path, value, example: exampleOf(name, key.examples[0]) }))
    }
  }
  return { values: values as LeafValues, issues }
}
