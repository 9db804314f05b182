// Asks a URL from inside a container's network namespace, for engines whose host graft cannot reach.

import type Dockerode from 'dockerode'

import type { EngineConnection } from './connect.ts'
import { toEngineFault } from './faults.ts'
import { attachHelper, createHelper, removeHelper, startHelper } from './probe-helper.ts'
import { frames } from './stream-frames.ts'

/** What the engine may take to start and remove the helper, besides the question's own time (milliseconds). */
const OVERHEAD = 10_000
const LONGEST = 8192

/** The body of the answer; what else was said where there is none. Throws an EngineFault without the image. */
export async function answerByHelper(
  connection: EngineConnection,
  info: Dockerode.ContainerInspectInfo,
  url: string,
  timeout: number,
  image: string,
): Promise<string> {
  const seconds = String(Math.max(1, Math.ceil(timeout / 1000)))
  const helper = await createHelper(connection, info, image, [
    'timeout',
    '-s',
    'KILL',
    seconds,
    'wget',
    '-q',
    '-O',
    '-',
    url,
  ])
  const signal = AbortSignal.timeout(timeout + OVERHEAD)
  try {
    const stream = await attachHelper(connection, helper, signal)
    await startHelper(connection, helper, signal)
    let text = ''
    for await (const frame of frames(stream, false)) if (text.length < LONGEST) text += frame.bytes.toString('utf8')
    return text
  } catch (error) {
    if (signal.aborted) return ''
    throw toEngineFault(error, connection.url, 'ask from a helper container')
  } finally {
    await removeHelper(connection, helper)
  }
}
