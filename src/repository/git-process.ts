// Keeps the child process that does the Git work: starts it, watches its memory and its time, and starts it again
// after it had to be ended. The parent only ever waits.

import { type ChildProcess, fork } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { inWords, orRaise } from './limits.ts'
import type { FromChild, Setup, TaskName, Tasks, ToChild } from './protocol.ts'
import { RepositoryFault } from './repository.ts'

const MEMORY_LOOK_MS = 200
const PAGE_BYTES = 4096

export interface GitProcess {
  /** One task at a time; throws RepositoryFault, or the signal's reason. `onPart` is called for each part, in order. */
  request<Name extends TaskName>(
    name: Name,
    takes: Tasks[Name]['takes'],
    options?: { onPart?: (part: Tasks[Name]['part']) => void; signal?: AbortSignal | undefined },
  ): Promise<Tasks[Name]['gives']>
  close(): Promise<void>
}

interface Waiting {
  readonly id: number
  readonly onPart: (part: unknown) => void
  readonly resolve: (gives: unknown) => void
  readonly reject: (error: unknown) => void
}

/** Nothing is started before the first request. `description` names the repository in faults. */
export function openGitProcess(setup: Setup, description: string): GitProcess {
  let child: ChildProcess | null = null
  let waiting: Waiting | null = null
  let queue: Promise<unknown> = Promise.resolve()
  let lastId = 0
  let closed = false

  function start(): ChildProcess {
    if (child !== null) return child
    const started = fork(childFile(), [], {
      serialization: 'advanced',
      stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
      execArgv: [`--max-old-space-size=${Math.floor(setup.limits.memoryBytes / 1024 ** 2)}`],
      env: environment(),
    })
    let words = ''
    started.stderr?.setEncoding('utf8').on('data', (text: string) => (words = (words + text).slice(-4000)))
    started.on('message', (message: FromChild) => receive(message))
    started.on('error', (error) => ended(started, crashed(description, error.message)))
    started.on('exit', (code, signal) => ended(started, exitFault(description, code, signal, words, setup)))
    // An idle child does not keep the program alive; `busy` takes hold of it for the time of a task.
    hold(started, false)
    say(started, { say: 'setup', setup })
    return (child = started)
  }

  function receive(message: FromChild): void {
    if (message.say === 'ready' || waiting === null || message.id !== waiting.id) return
    if (message.say === 'part') return waiting.onPart(message.part)
    const { resolve, reject } = waiting
    waiting = null
    if (message.say === 'done') resolve(message.gives)
    else reject(new RepositoryFault(message.fault.kind, message.fault.message, message.fault.remedy))
  }

  function ended(which: ChildProcess, fault: RepositoryFault): void {
    if (child === which) {
      child = null
      waiting?.reject(fault)
      waiting = null
    }
  }

  function end(fault: RepositoryFault): void {
    const doomed = child
    if (doomed === null) return
    ended(doomed, fault)
    doomed.kill('SIGKILL')
  }

  async function perform(name: TaskName, takes: unknown, onPart: (part: unknown) => void, signal?: AbortSignal) {
    signal?.throwIfAborted()
    if (closed) throw crashed(description, 'it was closed')
    const id = ++lastId
    const running = start()
    hold(running, true)
    const limitMs = setup.limits.operationMs
    const timer = setTimeout(() => end(tookTooLong(description, limitMs)), limitMs)
    const look = setInterval(
      () => void watchMemory(running, setup, () => end(tooMuchMemory(description, setup))),
      MEMORY_LOOK_MS,
    )
    let abort = (): void => undefined
    try {
      return await new Promise<unknown>((resolve, reject) => {
        waiting = { id, onPart, resolve, reject }
        abort = () => {
          if (waiting?.id === id) waiting = null
          say(running, { say: 'cancel', id })
          reject(signal?.reason)
        }
        signal?.addEventListener('abort', abort, { once: true })
        say(running, { say: 'task', id, name, takes })
      })
    } finally {
      clearTimeout(timer)
      clearInterval(look)
      signal?.removeEventListener('abort', abort)
      hold(running, false)
    }
  }

  return {
    request(name, takes, options = {}) {
      const { onPart, signal } = options
      // The child sends a task's parts in the shape that `Tasks` gives them.
      const turn = queue.then(() => perform(name, takes, (part) => onPart?.(part as never), signal))
      queue = turn.catch(() => undefined)
      return turn as Promise<Tasks[typeof name]['gives']>
    },
    async close() {
      closed = true
      const last = child
      if (last === null) return
      const gone = new Promise<void>((resolve) => last.once('exit', () => resolve()))
      end(crashed(description, 'it was closed'))
      // Nothing else may keep the process alive that waits here.
      last.ref()
      if (last.exitCode === null && last.signalCode === null) await gone
    },
  }
}

/** Compiled, this file lies beside the child's; run from the sources (by tests), the compiled one is in `dist`. */
function childFile(): string {
  const own = import.meta.url
  return fileURLToPath(new URL(own.endsWith('.ts') ? '../../dist/repository/git-child.js' : './git-child.js', own))
}

/** Nothing of the parent's environment that could hold a secret. */
function environment(): NodeJS.ProcessEnv {
  const kept = ['PATH', 'HOME', 'XDG_CONFIG_HOME', 'GIT_CONFIG_GLOBAL', 'TZ', 'LANG']
  // The agent that ssh asks; the variable names a socket, and holds no secret.
  kept.push('SSH_AUTH_SOCK', 'USER', 'LOGNAME')
  kept.push('NODE_EXTRA_CA_CERTS', 'SSL_CERT_FILE', 'SSL_CERT_DIR')
  return Object.fromEntries(
    kept.flatMap((name) => (process.env[name] === undefined ? [] : [[name, process.env[name]]])),
  )
}

function say(child: ChildProcess, message: ToChild): void {
  // Where the channel is gone, `exit` follows and tells what happened.
  if (child.connected) child.send(message, () => undefined)
}

function hold(child: ChildProcess, busy: boolean): void {
  if (busy) {
    child.ref()
    child.channel?.ref()
  } else {
    child.unref()
    child.channel?.unref()
    if (child.stderr !== null && 'unref' in child.stderr && typeof child.stderr.unref === 'function')
      child.stderr.unref()
  }
}

/** Linux only: elsewhere the child's own heap limit must do. */
async function watchMemory(child: ChildProcess, { limits }: Setup, tooMuch: () => void): Promise<void> {
  const facts = await readFile(`/proc/${child.pid}/statm`, 'utf8').catch(() => '')
  if (Number(facts.split(' ')[1] ?? 0) * PAGE_BYTES > limits.memoryBytes) tooMuch()
}

function tooMuchMemory(description: string, { limits }: Setup): RepositoryFault {
  return new RepositoryFault(
    'too-large',
    `reading ${description} needs more than ${inWords(limits.memoryBytes)} of memory`,
    `Keep large files out of the repository (Git LFS, an image), or give the deployment a repository of its own, ${orRaise('git_memory')}`,
  )
}

function tookTooLong(description: string, limitMs: number): RepositoryFault {
  return new RepositoryFault(
    'timeout',
    `${description} did not answer within ${Math.round(limitMs / 1000)} s`,
    `Look at the server and the way to it, ${orRaise('git_seconds')}`,
  )
}

function crashed(description: string, words: string): RepositoryFault {
  return new RepositoryFault(
    'damaged',
    `the process that reads ${description} ended: ${words}`,
    'Nothing has to be done where it happens once; look for a damaged repository or a full disk otherwise',
  )
}

function exitFault(
  description: string,
  code: number | null,
  signal: NodeJS.Signals | null,
  words: string,
  setup: Setup,
): RepositoryFault {
  if (signal === 'SIGABRT' || code === 134 || /heap out of memory/i.test(words))
    return tooMuchMemory(description, setup)
  // Nobody here killed it: mostly it was the kernel, for want of memory.
  const why =
    signal === 'SIGKILL'
      ? 'it was killed, perhaps because the machine has no memory left'
      : (signal ?? `exit code ${code}`)
  return crashed(description, why)
}
