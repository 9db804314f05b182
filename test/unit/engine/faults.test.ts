import { describe, expect, it } from 'vitest'

import { EngineFault } from '../../../src/apply/engine.ts'
import { blamesCommand, engineWords, toEngineFault } from '../../../src/engine/faults.ts'

/** An error as dockerode throws it. */
function answer(statusCode: number, message: string): Error {
  return Object.assign(new Error(`(HTTP code ${statusCode}) unexpected - ${message} `), {
    statusCode,
    json: { message },
  })
}

describe('toEngineFault', () => {
  const fault = (error: unknown) => toEngineFault(error, 'unix:///x.sock', 'create container web')

  it.each([
    [
      409,
      'Conflict. The container name "/web" is already in use by container "3f". You have to remove (or rename) …',
      'name-taken',
    ],
    [500, 'creating container storage: the container name "web" is already in use by 3f.', 'name-taken'],
    [404, 'No such container: 3f', 'not-found'],
    [409, 'cannot remove container "/web": container is running', 'engine'],
    [500, 'failed to register layer: write /x: no space left on device', 'disk'],
    [
      500,
      'driver failed programming external connectivity: Bind for 0.0.0.0:80 failed: port is already allocated',
      'engine',
    ],
  ] as const)('reads %i %s as %s', (status, words, kind) => {
    expect(fault(answer(status, words))).toMatchObject({ kind, message: `cannot create container web: ${words}` })
  })

  it.each([
    ['Pool overlaps with other one on this address space', /another subnet/],
    ['invalid pool request: Pool overlaps with other one on this address space', /another subnet/],
    ['error while removing network: network x id 3f has active endpoints', /tried again/],
    ['Forbidden', /something before it denies the call/],
  ])('tells the engine’s own 403 from that of a proxy: %s', (words, remedy) => {
    expect(fault(answer(403, words)).remedy).toMatch(remedy)
  })

  it('has a remedy for a port that is taken', () => {
    expect(fault(answer(500, 'Bind for 0.0.0.0:80 failed: port is already allocated')).remedy).toMatch(
      /holds this port/,
    )
  })

  it.each([
    ['ENOENT', /no such socket/],
    ['EACCES', /no permission/],
    ['ECONNREFUSED', /refuses connections/],
    ['ABORT_ERR', /does not answer/],
    ['DEPTH_ZERO_SELF_SIGNED_CERT', /TLS check/],
    ['ECONNRESET', /connection .* broke/],
  ])('takes %s for an engine that cannot be reached', (code, words) => {
    const reached = fault(Object.assign(new Error('x'), { code }))
    expect(reached.kind).toBe('unreachable')
    expect(reached.message).toMatch(words)
  })

  it('lets a fault pass as it is', () => {
    const first = new EngineFault('disk', 'full', 'make room')
    expect(fault(first)).toBe(first)
  })
})

describe('engineWords', () => {
  it('takes dockerode’s frame away', () => {
    expect(engineWords(answer(404, 'No such image: x'))).toBe('No such image: x')
    expect(engineWords(new Error('(HTTP code 404) no such container - No such container: x '))).toBe(
      'No such container: x',
    )
    expect(engineWords('plain')).toBe('plain')
  })
})

describe('blamesCommand', () => {
  it.each([
    'OCI runtime create failed: runc create failed: unable to start container process: exec: "nope": executable file not found in $PATH: unknown',
    'failed to create task: exec: "/no/such": stat /no/such: no such file or directory: unknown',
    'unable to start container process: exec: "/etc/passwd": permission denied',
    'exec /app: exec format error',
    'unable to find user nobody9: no matching entries in passwd file',
    'OCI runtime create failed: chdir to cwd ("/etc/passwd") set in config.json failed: not a directory: unknown',
  ])('finds the spec at fault: %s', (words) => {
    expect(blamesCommand(words)).toBe(true)
  })

  it.each([
    'driver failed programming external connectivity on endpoint web: port is already allocated',
    'error gathering device information while adding custom device "/dev/x": no such file or directory',
    'network shop_default not found',
    'error while mounting volume: no such file or directory',
  ])('does not: %s', (words) => {
    expect(blamesCommand(words)).toBe(false)
  })
})
