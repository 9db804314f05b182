// Asks a person before something is done that cannot be taken back.

import { createInterface } from 'node:readline/promises'

import { isSet, type Invocation } from './command.ts'
import { Mistake } from './mistakes.ts'

/**
 * Whether the person says yes: by `--yes`, or on a terminal by the letter y. Throws Mistake where nobody can be asked.
 */
export async function saysYes(invocation: Invocation, question: string): Promise<boolean> {
  if (isSet(invocation.own, 'yes')) return true
  const answer = await asked(invocation, `${question} [y/N] `, '--yes says it beforehand')
  return /^y(es)?$/i.test(answer.trim())
}

/** Whether the person types exactly this word. Throws Mistake where nobody can be asked. */
export async function typesWord(
  invocation: Invocation,
  question: string,
  word: string,
  instead: string,
): Promise<boolean> {
  return (await asked(invocation, `${question} `, instead)).trim() === word
}

async function asked({ surroundings, output }: Invocation, question: string, instead: string): Promise<string> {
  const { stdin, onStop } = surroundings
  if (stdin === null || !output.stderr.isTerminal) {
    throw new Mistake('nothing was done: there is no terminal to ask on', instead)
  }
  const lines = createInterface({ input: stdin, output: output.stderr.stream })
  const ended = new AbortController()
  const stopped = onStop(() => ended.abort())
  try {
    return await lines.question(question, { signal: ended.signal })
  } catch (error) {
    if (ended.signal.aborted) return ''
    throw error
  } finally {
    stopped()
    lines.close()
  }
}
