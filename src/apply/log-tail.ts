// The end of a container's log, for a report.

import type { Engine } from './engine.ts'

const LINES = 20

/** Oldest first; empty where the log cannot be read, because the failure itself matters more. */
export async function lastLines(engine: Engine, id: string): Promise<string[]> {
  const lines: string[] = []
  try {
    for await (const line of engine.logs(id, { tail: LINES })) lines.push(line.text)
  } catch {
    return lines
  }
  return lines
}
