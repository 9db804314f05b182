// How a registry says no, in words for a person: nothing there, no right to it, no answer that can be used. Pure.

import { formatReference, type ImageReference } from '../desired/image-reference.ts'
import { withoutSecrets, type RegistryCredentials } from '../engine/registry-credentials.ts'
import { oneLine, registryFault, registryWords } from './registry-fault.ts'
import type { Answer } from './registry-http.ts'

/** What a person looks for in the registry, without the registry's name. */
export function nameIn(image: ImageReference): string {
  return formatReference(image).slice(image.registry.length + 1)
}

export function missing(image: ImageReference): Error {
  return registryFault(`${image.registry} has no image ${nameIn(image)}`, 'Check the name and the tag')
}

export function refused(
  image: ImageReference,
  { body, status }: Answer,
  credentials: RegistryCredentials | null,
): Error {
  const words = withoutSecrets(registryWords(body), credentials) || `${status}`
  const tried = credentials === null ? `no credentials, as Docker knows none for ${image.registry}` : credentials.owner
  const login = `Check the image's name, and log in with \`docker login ${image.registry}\``
  return registryFault(`${image.registry} refused ${image.repository} (${words}); tried with ${tried}`, login)
}

/** Without having asked for a login. */
function forbidden(image: ImageReference, { body, status }: Answer): Error {
  const words = registryWords(body) || `${status}`
  return registryFault(
    `${image.registry} refused ${image.repository} (${words})`,
    "Check the image's name, and who may read it",
  )
}

/** Of an answer whose status is no success, or whose body is not what was asked for; `what` completes "did not give". */
export function refusal(image: ImageReference, what: string, answer: Answer): Error {
  const { status, body } = answer
  if (status === 404) return missing(image)
  if (status === 403) return forbidden(image, answer)
  const words = registryWords(body) || (status === 200 ? `no list: ${oneLine(body.toString('utf8'), 60)}` : '')
  const said = words === '' ? `${status}` : `${status}, ${words}`
  return registryFault(`${image.registry} did not give ${what} (${said})`, 'Look at the registry, and ask again later')
}
