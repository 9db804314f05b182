// Keeps the log short while a server is flooded: of what is refused only so much is told in a minute, and the rest is
// counted and told as one line at its end.

export interface FewWords<Entry> {
  /** Tells it, or counts it where enough was told in this minute. */
  tell(entry: Entry): void
  /** Tells what was counted, now. */
  close(): void
}

const MINUTE = 60_000

/** `most`: entries told in a minute. `tellCount` is called at its end, where more came. */
export function fewWords<Entry>(
  most: number,
  tell: (entry: Entry) => void,
  tellCount: (more: number) => void,
): FewWords<Entry> {
  let told = 0
  let more = 0
  let timer: NodeJS.Timeout | null = null
  const end = (): void => {
    if (timer !== null) clearTimeout(timer)
    timer = null
    const count = more
    told = 0
    more = 0
    if (count > 0) tellCount(count)
  }
  return {
    tell(entry) {
      timer ??= setTimeout(end, MINUTE).unref()
      if (told >= most) {
        more += 1
        return
      }
      told += 1
      tell(entry)
    },
    close: end,
  }
}
