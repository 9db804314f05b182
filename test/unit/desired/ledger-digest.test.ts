// A ledger digest is an interface with every commit that was ever judged: it must not change under anybody's feet.

import { expect, it } from 'vitest'

import { createReader } from '../../../src/desired/read.ts'
import { snapshotOf } from './snapshot-of.ts'

it('stays what it was; where it must change, LEDGER_DIGEST_VERSION goes up with it', () => {
  const files = {
    'deployment.yaml': 'name: shop\nhost_variables: {ADDRESS: 10.0.0.1}\nvolumes: {data: {}}\n',
    'web.yaml': 'generation: 1\nimage: nginx:1.27\nports: ["${ADDRESS}:8080:80"]\nfiles: {/etc/app.conf: ./app.conf}\n',
    'migrate.yaml': 'kind: job\ngeneration: 1\nimage: nginx:1.27\nvolumes: ["data:/data"]\nmem_limit: 64m\n',
    'app.conf': 'a = b\n',
  }
  const { tree } = createReader().read(snapshotOf(files), { host: null })
  const digests = [...(tree?.leaves.values() ?? [])].map(({ name, ledgerDigest }) => [name, ledgerDigest.slice(0, 16)])
  expect(digests).toMatchInlineSnapshot(`
    [
      [
        "migrate",
        "36a0119d3f734db8",
      ],
      [
        "web",
        "44942e41a2d5a6fb",
      ],
    ]
  `)
})
