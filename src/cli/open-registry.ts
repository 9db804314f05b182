// The client of registries that the settings ask for: Docker's logins, the host's mirrors.

import type { Settings } from '../daemon/settings.ts'
import { formatReference, parseReference, type ImageReference } from '../desired/image-reference.ts'
import { rewriteReference } from '../engine/mirrors.ts'
import { registryCredentials } from '../engine/registry-credentials.ts'
import { createRegistry, type ImageDescription, type Registry } from '../registry/registry.ts'
import { dockerConfigFolder } from './open-engine.ts'
import type { Surroundings } from './surroundings.ts'

/** Asks a mirror where this host fetches from one, and each question once. Close it. */
export function openRegistry(settings: Settings, env: Surroundings['env']): Registry {
  const folder = dockerConfigFolder(settings, env)
  const registry = createRegistry({
    credentials: (name) => registryCredentials(folder, name),
    insecure: insecureIn(settings.insecure_registries),
    env,
  })
  const rules = settings.mirrors ?? []
  const meant = (image: ImageReference): ImageReference =>
    parseReference(rewriteReference(rules, formatReference(image))) ?? image
  const [tags, digests, descriptions] = [once<readonly string[]>(), once<string>(), once<ImageDescription>()]
  return {
    tags(image, signal) {
      const { registry: host, repository } = image
      return tags(`${host}/${repository}`, () => registry.tags(meant(image), signal))
    },
    digest: (image, signal) => digests(formatReference(image), () => registry.digest(meant(image), signal)),
    describe(image, platform, signal) {
      const key = `${formatReference(image)} ${platform}`
      return descriptions(key, () => registry.describe(meant(image), platform, signal))
    },
    close: () => registry.close(),
  }
}

/** The answer that a key got first, a refusal as well: one command sees one state of the registries. */
function once<Answer>(): (key: string, ask: () => Promise<Answer>) => Promise<Answer> {
  const answers = new Map<string, Promise<Answer>>()
  return (key, ask) => {
    const before = answers.get(key)
    if (before !== undefined) return before
    const answer = ask()
    answers.set(key, answer)
    return answer
  }
}

function insecureIn(said: Settings['insecure_registries']): string[] {
  const names = typeof said === 'string' ? said.split(/[\s,]+/) : (said ?? [])
  return names.filter((name) => name !== '')
}
