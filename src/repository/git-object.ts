// What a Git object is once it is read, and the errors that reading one can end with.

export type ObjectType = 'commit' | 'tree' | 'blob' | 'tag'

/** An object of which the content is left out where it is larger than the reader asked for. */
export interface ObjectPart {
  readonly type: ObjectType
  /** Bytes of the whole content. */
  readonly size: number
  readonly content: Buffer | null
}

export interface GitObject {
  readonly type: ObjectType
  readonly content: Buffer
}

/** The store lacks an object that something else refers to. */
export class MissingObject extends Error {
  readonly oid: string
  constructor(oid: string) {
    super(`object ${oid} is missing`)
    this.name = 'MissingObject'
    this.oid = oid
  }
}

/** What the store holds cannot be what was written there. */
export class DamagedStore extends Error {
  constructor(message: string, options?: { cause?: unknown }) {
    super(message, options)
    this.name = 'DamagedStore'
  }
}

export function isObjectType(text: string): text is ObjectType {
  return text === 'commit' || text === 'tree' || text === 'blob' || text === 'tag'
}

const OID = /^[0-9a-f]{40}$/

/** Whether the text is a whole object id: 40 lower-case hex digits. */
export function isOid(text: string): boolean {
  return OID.test(text)
}

/** The system's code of an error (`ENOENT`), or an empty text. */
export function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : ''
}

/** Whether the disk or its permissions failed, and neither a server nor what was read. */
export function isDiskError(error: unknown): boolean {
  return ['ENOSPC', 'EDQUOT', 'EROFS', 'EACCES', 'EPERM', 'EIO', 'EMFILE', 'ENFILE'].includes(codeOf(error))
}
