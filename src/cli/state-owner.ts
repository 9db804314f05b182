// The state folder stays its account's own: what root wrote into it, a service that is not root could not change.

import { readFile, stat } from 'node:fs/promises'

import { Mistake } from './mistakes.ts'

/** For root only. Throws a Mistake where the folder is there and belongs to another account. */
export async function leaveToItsOwner(folder: string): Promise<void> {
  const owner = await stat(folder).then(
    ({ uid }) => uid,
    () => 0,
  )
  if (owner === 0) return
  const name = await accountName(owner)
  throw new Mistake(
    `the state folder ${folder} belongs to the account ${name}, and what root writes there it could not change`,
    `give the command as that account: sudo -u ${/^\d+$/.test(name) ? `'#${name}'` : name} graft …`,
  )
}

/** Its number where passwd(5) has no name for it. */
async function accountName(uid: number): Promise<string> {
  const accounts = await readFile('/etc/passwd', 'utf8').catch(() => '')
  const line = accounts.split('\n').find((each) => each.split(':')[2] === String(uid))
  return line?.split(':')[0] ?? String(uid)
}
