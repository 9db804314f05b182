// Whether a container runs as root, as far as its leaf says. Pure.

import { fault } from './fault.ts'
import type { Fault } from './fault.ts'
import type { Spec } from './spec.ts'

const RIGHT = 'write user: with a number other than 0, such as "1000:1000"'

/** Whether `user` names root. A name that is not a number is the image's to give, and may be root as well. */
export function asRoot({ user }: Pick<Spec, 'user'>): Fault[] {
  const name = user?.split(':')[0] ?? ''
  return name === 'root' || /^[+-]?0+$/.test(name) ? [fault(`user: ${user}`, RIGHT)] : []
}

/** As above, and where it cannot be told: no `user`, or one by name. */
export function notSurelyNonRoot(spec: Pick<Spec, 'user'>): Fault[] {
  const known = asRoot(spec)
  if (known.length > 0) return known
  const { user } = spec
  if (user === undefined) return [fault('it has no user, and its image may run as root', RIGHT)]
  return /^\d+$/.test(user.split(':')[0] ?? '')
    ? []
    : [fault(`user: ${user} is a name, which the image may give to root`, RIGHT)]
}
