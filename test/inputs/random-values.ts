// Random values where a deployment expects others: every key that there is, with whatever may stand in YAML.

import fc from 'fast-check'

import { allSchemas } from '../../src/cli/schemas.ts'

const WORDS = [
  '', ' ', '~', 'null', 'true', '0', '-1', '1e9', '0x1F', '${A}', '${', '$$', '${A:-', 'a:b', ':', '::', '/', '//', '..', '../..', './x',
  '/x:/y', '/x:/y:ro', 'db:/x:z', '8080:80', '80-90', '65536', '1-65535', '[::1]:80:80', '127.0.0.1::', '10m', '-5s', '1h2m3s4ms', '1.5g',
  'host', 'none', 'bridge', 'service:x', 'service:', 'container:x', 'unconfined', 'ALL', 'no', 'always', 'on-failure:-1', 'on-failure:99999',
  'nginx', 'NGINX', 'a@sha256:1', 'a/b:c@sha256:' + 'a'.repeat(64), '__proto__', 'constructor', '\u0000', '\u001B[2J', '\u202E', '😀', 'e\u0301', '\uD800',
  'a'.repeat(300), '*', '&a', '!!js', '<<', '- a', '#', '"', "'", '\n', '\t',
] as const // prettier-ignore

const word = fc.constantFrom(...WORDS)
const scalar = fc.oneof(
  word,
  fc.string({ maxLength: 20 }),
  fc.integer(),
  fc.double(),
  fc.boolean(),
  fc.constant(null),
  fc.maxSafeInteger(),
)

/** Keys that schemas know somewhere, so that random mappings get past the first check. */
const KEYS: readonly string[] = [...new Set(keysIn(allSchemas()))]
const key = fc.oneof({ weight: 4, arbitrary: fc.constantFrom(...KEYS) }, { weight: 1, arbitrary: word })

const value = fc.letrec<{ value: unknown }>((tie) => ({
  value: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    scalar,
    fc.array(tie('value'), { maxLength: 4 }),
    fc.dictionary(key, tie('value'), { maxKeys: 4 }),
  ),
})).value

function withKeys(schema: object, base: Readonly<Record<string, unknown>>): fc.Arbitrary<Record<string, unknown>> {
  const names = Object.keys((schema as { properties?: object }).properties ?? {})
  return fc
    .array(fc.tuple(fc.constantFrom(...names), value), { maxLength: 5 })
    .map((pairs) => ({ ...base, ...Object.fromEntries(pairs) }))
}

const schemas = allSchemas()

export const anything = {
  value,
  leaf: withKeys(schemas.container, { generation: 1, image: 'nginx:1.27' }),
  set: withKeys(schemas.set, {}),
  deployment: withKeys(schemas.deployment, { name: 'site', format: 1 }),
  policy: withKeys(schemas.policy, { format: 1 }),
  settings: withKeys(schemas.config, {}),
}

/** Text out of the pieces that YAML is made of. */
export const yamlText = fc
  .array(
    fc.oneof(
      fc.constantFrom(
        '- ',
        ': ',
        '? ',
        '\n',
        '\n  ',
        '\n    ',
        '[',
        ']',
        '{',
        '}',
        ', ',
        '&a ',
        '*a',
        '!!str ',
        '!!binary ',
        '!x ',
        '|\n',
        '>-\n',
        '<<: ',
        '# c\n',
        '---\n',
        '...\n',
        '%YAML 1.1\n',
        '"',
        "'",
        '\\',
        '\t',
        '~',
        '@',
        '`',
      ),
      word,
      fc.constantFrom(...KEYS),
    ),
    { maxLength: 40 },
  )
  .map((parts) => parts.join(''))

function* keysIn(schema: unknown): Generator<string> {
  if (typeof schema !== 'object' || schema === null) return
  for (const [name, inner] of Object.entries(schema)) {
    if (name === 'properties' && typeof inner === 'object' && inner !== null) yield* Object.keys(inner)
    yield* keysIn(inner)
  }
}
