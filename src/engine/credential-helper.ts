// Asks one of Docker's credential helpers, the program `docker-credential-NAME`, for the login of a registry.

import { spawn } from 'node:child_process'
import { EngineFault } from '../apply/engine.ts'
import type { RegistryAuth } from './registry-credentials.ts'

const TIMEOUT = 15_000
const LONGEST_ANSWER = 64 * 1024

/**
 * Runs `docker-credential-NAME get` with the registry on its standard input (the helpers' protocol). null where the
 * helper knows no login for it. Throws an EngineFault of kind `registry` where it is missing, fails or hangs.
 */
export async function askCredentialHelper(
  name: string,
  registry: string,
  timeout: number = TIMEOUT,
): Promise<{ auth: RegistryAuth; owner: string } | null> {
  // The name comes from a file and becomes part of a program's name.
  if (!/^[A-Za-z0-9][A-Za-z0-9._-]*$/.test(name)) throw fault(name, 'has a name that cannot be a program')
  const { code, output } = await run(name, registry, timeout)
  if (code !== 0) {
    if (/credentials not found/i.test(output)) return null
    throw fault(name, `failed with exit ${code} for ${registry}: ${output.trim().slice(0, 200) || 'it said nothing'}`)
  }
  const answer = parseAnswer(output)
  if (answer === null) throw fault(name, `gave no readable answer for ${registry}`)
  if (answer.Username === '' && answer.Secret === '') return null
  if (answer.Username === '<token>') {
    return { auth: { serveraddress: registry, identitytoken: answer.Secret }, owner: 'a token' }
  }
  const auth = { serveraddress: registry, username: answer.Username, password: answer.Secret }
  return { auth, owner: `user ${answer.Username}` }
}

function run(name: string, input: string, timeout: number): Promise<{ code: number; output: string }> {
  return new Promise((resolve, reject) => {
    const child = spawn(`docker-credential-${name}`, ['get'], { stdio: ['pipe', 'pipe', 'ignore'] })
    let output = ''
    const timer = setTimeout(() => {
      child.kill('SIGKILL')
      // A grandchild may hold the pipe open; nothing more is read from it.
      child.stdout.destroy()
      reject(fault(name, `did not answer for ${input} within ${timeout / 1000} s`))
    }, timeout)
    child.stdout.setEncoding('utf8')
    child.stdout.on('data', (chunk: string) => {
      if (output.length < LONGEST_ANSWER) output += chunk
    })
    child.on('error', (error) => {
      clearTimeout(timer)
      const missing = 'code' in error && error.code === 'ENOENT'
      reject(fault(name, missing ? 'is not installed' : `cannot be started: ${error.message}`, error))
    })
    child.on('close', (code) => {
      clearTimeout(timer)
      resolve({ code: code ?? 1, output })
    })
    // A helper may exit without reading.
    child.stdin.on('error', () => {})
    child.stdin.end(`${input}\n`)
  })
}

function parseAnswer(output: string): { Username: string; Secret: string } | null {
  try {
    const answer: unknown = JSON.parse(output)
    if (typeof answer !== 'object' || answer === null) return null
    const username: unknown = Reflect.get(answer, 'Username')
    const secret: unknown = Reflect.get(answer, 'Secret')
    return typeof username === 'string' && typeof secret === 'string' ? { Username: username, Secret: secret } : null
  } catch {
    return null
  }
}

function fault(name: string, what: string, cause?: unknown): EngineFault {
  const remedy =
    "Install the helper and run `docker login`, or take it out of credHelpers or credsStore in Docker's configuration file."
  return new EngineFault('registry', `the credential helper docker-credential-${name} ${what}`, remedy, { cause })
}
