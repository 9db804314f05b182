import type { Difference, FileBatch } from './protocol.ts'
import type { RepositoryLimits } from './limits.ts'
export async function takeWorktree(_w: string|null,_f:string,_l:RepositoryLimits,_h:readonly string[],_s:(b:FileBatch)=>Promise<void>): Promise<{difference: Difference}> { throw new Error('x') }
