// An image reference (the distribution project's grammar of references).

import { scalar } from '../scalar.ts'
import { cut } from '../show.ts'

const REFERENCE =
  /^(?:(?:[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?|\[[0-9a-fA-F:]+\])(?::[0-9]+)?\/)?[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*(?:\/[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*)*(?::\w[\w.-]{0,127})?(?:@[a-z0-9]+(?:[.+_-][a-z0-9]+)*:[0-9a-fA-F]{32,})?$/

export const image = scalar<string>({
  types: ['string'],
  expected: 'an image, as [REGISTRY/]NAME[:TAG][@DIGEST]',
  example: 'docker.io/library/nginx:1.27',
  json: { type: 'string', pattern: '^[^ ]+$' },
  read: (value) => {
    const found = String(value)
    if (found.length <= 512 && REFERENCE.test(found)) return { value: found }
    const lower = found.toLowerCase()
    return found.length <= 512 && REFERENCE.test(lower)
      ? { mistake: `the image's name "${cut(found)}" has upper-case letters`, remedy: `write ${cut(lower)}` }
      : null
  },
})
