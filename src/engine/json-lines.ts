// Reads a stream of JSON values, one a line, as the engine sends pulls and events.

/** No line of the engine comes near this; a stream without line ends must not fill the memory. */
const LONGEST_LINE = 4 * 1024 * 1024

/** Yields each line's value as it comes; a line that is not JSON is left out. Throws what the stream throws. */
export async function* jsonLines(stream: NodeJS.ReadableStream): AsyncGenerator<unknown, void, undefined> {
  const decoder = new TextDecoder()
  let rest = ''
  for await (const chunk of stream) {
    rest += typeof chunk === 'string' ? chunk : decoder.decode(chunk, { stream: true })
    let end = rest.indexOf('\n')
    while (end >= 0) {
      yield* parsed(rest.slice(0, end))
      rest = rest.slice(end + 1)
      end = rest.indexOf('\n')
    }
    if (rest.length > LONGEST_LINE) throw new Error('the engine sent a line that does not end')
  }
  yield* parsed(rest)
}

function* parsed(line: string): Generator<unknown, void, undefined> {
  if (line.trim() === '') return
  let value: unknown
  try {
    value = JSON.parse(line)
  } catch {
    return
  }
  yield value
}
