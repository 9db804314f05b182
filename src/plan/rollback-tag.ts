// The tag under which an image that passed its gate is kept for a rollback: graft.local/DEPLOYMENT/LEAF:gN-IMAGEID12.
// Pure; the same text is written by apply and looked for by plan.

export interface RollbackTag {
  readonly deployment: string
  readonly leaf: string
  readonly generation: number
  /** First twelve hex digits of the image's id. */
  readonly imageId12: string
}

/** Everything below this is graft's own on an engine. */
const HOST = 'graft.local'

/** `imageId` with or without `sha256:`, at least twelve hex digits. */
export function rollbackTag(deployment: string, leaf: string, generation: number, imageId: string): string {
  return `${rollbackRepository(deployment, leaf)}:g${generation}-${imageId.replace(/^sha256:/, '').slice(0, 12)}`
}

/** The part before the colon, shared by all generations of a leaf. */
export function rollbackRepository(deployment: string, leaf: string): string {
  return `${deploymentRepositories(deployment)}/${leaf}`
}

/** What the names of all images begin with that graft names for a deployment. */
export function deploymentRepositories(deployment: string): string {
  return `${HOST}/${deployment}`
}

/** null where the text is not such a tag. */
export function parseRollbackTag(text: string): RollbackTag | null {
  const match = /^graft\.local\/([a-z0-9-]+)\/([a-z0-9-]+):g([0-9]+)-([0-9a-f]{12})$/.exec(text)
  const [, deployment, leaf, generation, imageId12] = match ?? []
  if (deployment === undefined || leaf === undefined || generation === undefined || imageId12 === undefined) return null
  return { deployment, leaf, generation: Number(generation), imageId12 }
}
