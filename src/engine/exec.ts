// Runs a check inside a container once, and says in words how it went.

import type { ProbeResult } from '../apply/engine.ts'
import { callForStream, rawCall } from './call.ts'
import type { EngineConnection } from './connect.ts'
import { blamesCommand, engineWords, statusOf, toEngineFault } from './faults.ts'
import { frames } from './stream-frames.ts'

/** Bytes; the end of a check's output says most. More than is shown, because what is cut off is not cleaned of secrets. */
const OUTPUT_LIMIT = 64 * 1024

/**
 * Runs `command` (argv, no shell) in the container, as its own user, for at most `timeout` milliseconds. A container
 * that does not run, a command that is not there and one that hangs are unhealthy, not faults. The engine cannot end
 * what it has started inside a container: after a time-out the process goes on there, its result no longer counts.
 * Throws an EngineFault of kind `not-found` without such a container, or `unreachable`.
 */
export async function execOnce(
  connection: EngineConnection,
  id: string,
  command: readonly string[],
  timeout: number,
): Promise<ProbeResult> {
  const output = tail(OUTPUT_LIMIT)
  const controller = new AbortController()
  const { signal } = controller
  let timedOut = false
  let timer: NodeJS.Timeout | undefined
  try {
    const { Id: exec } = await rawCall<{ Id: string }>(connection, {
      method: 'POST',
      path: `/containers/${encodeURIComponent(id)}/exec`,
      body: { Cmd: [...command], AttachStdout: true, AttachStderr: true },
    })
    const stream = await callForStream(connection, {
      method: 'POST',
      path: `/exec/${exec}/start`,
      body: { Detach: false, Tty: false },
      signal,
    })
    // Until the command runs, waiting is the engine's fault and not the container's.
    timer = setTimeout(() => {
      timedOut = true
      controller.abort()
    }, timeout)
    for await (const frame of frames(stream, false)) output.add(frame.bytes)
    const exitCode = await exitCodeOf(connection, exec, signal)
    const text = output.text()
    if (exitCode === 0) return { healthy: true, output: text === '' ? 'exit 0' : text }
    return { healthy: false, output: text === '' ? `exit ${exitCode}` : `exit ${exitCode}: ${text}` }
  } catch (error) {
    if (timedOut) {
      const text = output.text()
      return { healthy: false, output: `no result within ${timeout / 1000} s${text === '' ? '' : `: ${text}`}` }
    }
    return refused(connection, error)
  } finally {
    clearTimeout(timer)
  }
}

/** Engine API 1.41, ExecInspect. */
interface ExecAnswer {
  readonly Running?: boolean
  readonly ExitCode?: number | null
}

/** The stream ends a moment before the engine has the exit code. */
async function exitCodeOf(connection: EngineConnection, exec: string, signal: AbortSignal): Promise<number> {
  for (let pause = 2; ; pause = Math.min(pause * 2, 100)) {
    const info = await rawCall<ExecAnswer>(connection, { path: `/exec/${exec}/json`, signal })
    if (info.Running !== true && typeof info.ExitCode === 'number') return info.ExitCode
    await new Promise((resolve) => setTimeout(resolve, pause))
    signal.throwIfAborted()
  }
}

/**
 * 409: the container is stopped or paused. 400, a 404 of the exec itself, and a 500 in the words of the runtime: the
 * command cannot be run. Anything else is the engine's own trouble, or that of what stands before it, and says nothing of
 * the container.
 */
function refused(connection: EngineConnection, error: unknown): ProbeResult {
  const status = statusOf(error)
  const words = engineWords(error)
  if (status === 409 || /is not running/i.test(words)) {
    return {
      healthy: false,
      output: /paused/i.test(words) ? 'the container is paused' : 'the container is not running',
    }
  }
  const isRuntime = /OCI runtime|exec failed|starting container process/i.test(words) || blamesCommand(words)
  const isCommand = status === 400 || status === 404 || (status === 500 && isRuntime)
  if (isCommand && !/no such container/i.test(words)) return { healthy: false, output: words }
  throw toEngineFault(error, connection.url, 'run a check')
}

/** The last `limit` bytes, without the line that the limit cuts through: half a secret is not known as one. */
export function tail(limit: number): { add: (bytes: Buffer) => void; text: () => string } {
  let kept: Buffer = Buffer.alloc(0)
  let cut = false
  return {
    add: (bytes) => {
      const all = Buffer.concat([kept, bytes])
      cut ||= all.length > limit
      kept = all.subarray(Math.max(0, all.length - limit))
    },
    text() {
      if (!cut) return kept.toString('utf8').trim()
      const lineEnd = kept.indexOf(10)
      return `…${
        lineEnd < 0
          ? ''
          : kept
              .subarray(lineEnd + 1)
              .toString('utf8')
              .trim()
      }`
    },
  }
}
