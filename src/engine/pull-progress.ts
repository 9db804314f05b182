// The lines of a pull's stream, summed over the layers into one figure that only grows. Pure.

import type { PullProgress } from '../apply/engine.ts'

/** One line of the stream (Engine API 1.41, ImageCreate), as far as it is known. */
export interface PullLine {
  readonly id?: string
  readonly status?: string
  readonly progressDetail?: { readonly current?: number; readonly total?: number }
  readonly error?: string
  readonly errorDetail?: { readonly message?: string }
}

interface Layer {
  /** Bytes fetched; extraction is not counted, since it has the same total again. */
  current: number
  total: number
}

/** Sums lines up: call it with each line, in order. null where the line says nothing new to show. */
export function pullProgressMeter(): (line: PullLine) => PullProgress | null {
  const layers = new Map<string, Layer>()
  return (line) => {
    const { id, status } = line
    if (status === undefined) return null
    // `Pulling from library/nginx` carries the tag as its id and is no layer.
    if (id !== undefined && !status.startsWith('Pulling from')) {
      const layer = layers.get(id) ?? { current: 0, total: 0 }
      layers.set(id, layer)
      const { current, total } = line.progressDetail ?? {}
      if (total !== undefined && total > 0) layer.total = Math.max(layer.total, total)
      if (status === 'Downloading' && current !== undefined) layer.current = Math.max(layer.current, current)
      if (/^(Download complete|Verifying Checksum|Extracting|Pull complete|Already exists)/.test(status)) {
        layer.current = layer.total
      }
    }
    let current = 0
    let total = 0
    for (const layer of layers.values()) {
      current += layer.current
      total += layer.total
    }
    return { current: Math.min(current, total), total, status }
  }
}
