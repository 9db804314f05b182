// A Compose file as the files of a deployment, as somebody would make them who has not read the manual: each service is a
// leaf with generation 1, whatever it says.

import { parse, stringify } from 'yaml'

export interface Converted {
  readonly files: Readonly<Record<string, string>>
  /** File name of each service. */
  readonly leaves: ReadonlyMap<string, string>
}

type Mapping = Record<string, unknown>

/** `without`: keys that are left out, `NAME.KEY` for those of a leaf and `KEY` for those of the deployment; `NAME!image`
 * gives a leaf an image. */
export function composeToLeaves(text: string, without: ReadonlySet<string>): Converted {
  const compose = mapping(parse(text, { merge: true }))
  const services = mapping(compose['services'])
  const leaves = new Map<string, string>()
  const files: Record<string, string> = {}
  for (const [name, service] of Object.entries(services)) {
    const leaf = name
      .toLowerCase()
      .replace(/[^a-z0-9-]+/g, '-')
      .replace(/^-|-$/g, '')
    const kept = Object.entries(mapping(service)).filter(([key]) => !without.has(`${leaf}.${key}`))
    leaves.set(leaf, `${leaf}.yaml`)
    const image = without.has(`${leaf}!image`) ? { image: 'built:1' } : {}
    files[`${leaf}.yaml`] = stringify({ generation: 1, ...image, ...Object.fromEntries(kept) })
  }
  const variables = new Set([...text.matchAll(/(?<!\$)\$\{(\w+)/g)].map(([, name = '']) => name))
  const top = Object.entries({
    name: 'site',
    format: 1,
    networks: compose['networks'],
    volumes: compose['volumes'],
    secrets: compose['secrets'],
    configs: compose['configs'],
    variables: Object.fromEntries([...variables].map((name) => [name, 'x'])),
  }).filter(([key, value]) => value !== undefined && !without.has(key))
  files['deployment.yaml'] = stringify(Object.fromEntries(top))
  return { files, leaves }
}

function mapping(value: unknown): Mapping {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Mapping) : {}
}
