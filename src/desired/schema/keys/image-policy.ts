// The key image_policy: which tags of its image a leaf may follow.

import type { ImagePolicy, TagOrder } from '../../image-policy.ts'
import { isRange } from '../../tag-version.ts'
import { report, scalar } from '../scalar.ts'
import { mapping } from '../shapes.ts'
import { cut } from '../show.ts'
import { boolean, choice } from '../texts.ts'

const LONGEST_RANGE = 200
const LONGEST_PATTERN = 300

const range = scalar<string>({
  types: ['string'],
  expected: 'a range of versions',
  example: 'semver: "^3.2"',
  json: { type: 'string', minLength: 1, maxLength: LONGEST_RANGE },
  read: (value) => {
    const text = String(value)
    return text.length <= LONGEST_RANGE && isRange(text) ? { value: text } : null
  },
})

const pattern = scalar<string>({
  types: ['string'],
  expected: `a regular expression of at most ${LONGEST_PATTERN} characters`,
  example: 'pattern: "^v?(?<version>.*)-alpine$"',
  json: { type: 'string', minLength: 1, maxLength: LONGEST_PATTERN },
  read: (value) => {
    const text = String(value)
    if (text === '' || text.length > LONGEST_PATTERN) return null
    try {
      new RegExp(text)
      return { value: text }
    } catch (error) {
      const words =
        error instanceof Error ? error.message.replace(/^Invalid regular expression: /, '') : 'it does not read'
      return {
        mistake: `this is no regular expression: ${cut(words)}`,
        remedy: 'write for example "^v?(?<version>.*)-alpine$"',
      }
    }
  },
})

/** Nothing of it is filled in with variables: `$` is a sign of regular expressions. */
export const imagePolicy = mapping({
  semver: range.optional().meta({ description: 'Versions that may follow, as npm writes ranges: "^3.2", ">=2 <4"' }),
  pattern: pattern.optional().meta({
    description: 'Regular expression for the tags that count; its group `version` is what is compared',
  }),
  order: choice(['semver', 'numerical', 'alphabetical'])
    .optional()
    .meta({ description: 'How what the pattern cuts out is compared; semver where it is left out' }),
  prerelease: boolean().optional().meta({ description: 'Whether versions before a release count, such as 1.5.0-rc.1' }),
}).transform((said, context): ImagePolicy => {
  const order: TagOrder = said.order ?? 'semver'
  if (said.semver === undefined && said.pattern === undefined) {
    const example = 'write for example semver: "^3.2"'
    report(context, { mistake: 'it says neither semver nor pattern, so no tag could follow', remedy: example })
  }
  if (order !== 'semver' && said.semver !== undefined) {
    const remedy = `leave semver out, or order: ${order}`
    report(context, { mistake: `a range of versions does not go with order: ${order}`, remedy }, ['order'])
  }
  if (order !== 'semver' && said.pattern === undefined) {
    const remedy = 'write pattern too, with the group version'
    report(context, { mistake: `order: ${order} needs to be told which tags count`, remedy }, ['order'])
  }
  return { semver: said.semver ?? null, pattern: said.pattern ?? null, order, prerelease: said.prerelease ?? false }
})
