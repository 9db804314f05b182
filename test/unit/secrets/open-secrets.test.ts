// What is taken out of texts: what leaves use, and nothing else that lies in the same files.

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { generateIdentity, identityToRecipient } from 'age-encryption'
import { afterAll, expect, it } from 'vitest'

import { createSecretOpener } from '../../../src/daemon/secrets/open-secrets.ts'
import { createRedactor } from '../../../src/desired/redaction.ts'
import { createReader } from '../../../src/desired/read.ts'
import { snapshotOf } from '../desired/snapshot-of.ts'
import { writeSops } from './write-sops.ts'

const folder = mkdtempSync(join(tmpdir(), 'graft-open-secrets-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

it('a value that no leaf uses is not remembered; each value of a file that is used whole is', async () => {
  const identity = await generateIdentity()
  const keyFile = join(folder, 'age.key')
  writeFileSync(keyFile, `${identity}\n`, { mode: 0o600 })
  const recipients = [await identityToRecipient(identity)]
  const { tree, problems } = createReader().read(
    snapshotOf({
      'deployment.yaml':
        'name: shop\nformat: 1\nsecrets: {one: {file: ./one.yaml, key: used}, whole: {file: ./whole.yaml}}\n',
      'one.yaml': await writeSops('one.yaml', { used: 'used-password', dummy: 'other-value-here' }, { recipients }),
      'whole.yaml': await writeSops('whole.yaml', { a: 'short-one', b: 'short-two' }, { recipients }),
      'web.yaml': 'generation: 1\nimage: busybox\nsecrets: [one, whole]\n',
    }),
    { host: null },
  )
  if (tree === null) throw new Error(JSON.stringify(problems))
  const redactor = createRedactor()
  const hostKey = () => Promise.resolve(Buffer.alloc(32))
  const { held } = await createSecretOpener({ folder, keyFile, hostKey, redactor }).open(tree)
  expect(held.size).toBe(0)
  expect(redactor.clean('used-password other-value-here short-one short-two')).toBe(
    '(secret) other-value-here (secret) (secret)',
  )
})
