// Reads /proc: which processes live, since when, with which mark, and who descends from whom. Processes are only ever
// told apart by id, start time and a mark in their environment, never by name.

import { readFile, readdir } from 'node:fs/promises'
import { setTimeout as sleep } from 'node:timers/promises'

export interface ProcessFacts {
  readonly pid: number
  readonly parent: number
  /** Clock ticks since the machine started (proc_pid_stat(5), field 22); with the id it names a process for ever. */
  readonly startTime: string
  /** `Z`: dead, but not yet collected by its parent. */
  readonly state: string
}

/** null where there is no such process. */
export async function processFacts(pid: number): Promise<ProcessFacts | null> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => null)
  if (stat === null) return null
  // The second field is the program's name in brackets and may itself hold spaces and brackets.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  return { pid, state: fields[0] ?? '', parent: Number(fields[1]), startTime: fields[19] ?? '' }
}

/** With `startTime`, a later process under the same id does not count. Zombies are not alive. */
export async function isAlive(pid: number, startTime?: string): Promise<boolean> {
  const facts = await processFacts(pid)
  if (facts === null || facts.state === 'Z' || facts.state === 'X') return false
  return startTime === undefined || facts.startTime === startTime
}

/** Waits for the end of a process; false where it still lives after `timeout` milliseconds. */
export async function waitForEnd(pid: number, startTime: string, timeout: number): Promise<boolean> {
  const deadline = performance.now() + timeout
  while (await isAlive(pid, startTime)) {
    if (performance.now() > deadline) return false
    await sleep(20)
  }
  return true
}

/** Every living process that was started with the variable in its environment, and all that descend from one. */
export async function processesMarked(name: string, value: string): Promise<readonly ProcessFacts[]> {
  const all: ProcessFacts[] = []
  const marked = new Set<number>()
  for (const entry of await readdir('/proc')) {
    if (!/^\d+$/.test(entry)) continue
    const facts = await processFacts(Number(entry))
    if (facts === null || facts.state === 'Z') continue
    all.push(facts)
    const environment = await readFile(`/proc/${entry}/environ`, 'utf8').catch(() => '')
    if (environment.split('\0').includes(`${name}=${value}`)) marked.add(facts.pid)
  }
  for (let grew = true; grew;) {
    grew = false
    for (const { pid, parent } of all)
      if (marked.has(parent) && !marked.has(pid)) {
        marked.add(pid)
        grew = true
      }
  }
  return all.filter(({ pid }) => marked.has(pid))
}

/** Sends a signal unless the process is gone. Ids that mean more than one process (kill(2)) are refused. */
export function signalProcess(pid: number, signal: NodeJS.Signals): void {
  if (!Number.isInteger(pid) || pid <= 1) throw new Error(`${pid} is not the id of a process that may be signalled`)
  try {
    process.kill(pid, signal)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error
  }
}
