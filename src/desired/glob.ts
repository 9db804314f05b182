// Path patterns as people know them: `*` and `?` within a segment, `**` over any number of segments. Nothing else is special.

/**
 * Whether the whole of `path` matches. As in .gitignore, `a/**` matches everything inside `a` but not `a` itself, and
 * a leading `**` + `/` also matches nothing. Takes time proportional to pattern times path, whatever they hold.
 */
export function matchesGlob(pattern: string, path: string): boolean {
  const parts = path.split('/')
  // reachable[i]: the pattern so far can end just before segment i.
  let reachable = parts.map((_, index) => index === 0)
  reachable.push(false)
  const segments = pattern.split('/')
  for (const [position, segment] of segments.entries()) {
    const last = position === segments.length - 1
    const next = Array.from({ length: parts.length + 1 }, () => false)
    for (let index = 0; index <= parts.length; index++) {
      if (segment === '**')
        next[index] = (index > 0 && next[index - 1] === true) || (!last && reachable[index] === true)
      else if (index > 0) next[index] = reachable[index - 1] === true && matchesSegment(segment, parts[index - 1] ?? '')
      if (segment === '**' && index > 0 && reachable[index - 1] === true) next[index] = true
    }
    reachable = next
  }
  return reachable[parts.length] === true
}

function matchesSegment(pattern: string, text: string): boolean {
  let at = 0
  let inText = 0
  let star = -1
  let resume = 0
  while (inText < text.length) {
    const sign = pattern[at]
    if (sign === '*') {
      star = at++
      resume = inText
    } else if (sign !== undefined && (sign === '?' || sign === text[inText])) {
      at++
      inText++
    } else if (star >= 0) {
      at = star + 1
      inText = ++resume
    } else {
      return false
    }
  }
  while (pattern[at] === '*') at++
  return at === pattern.length
}
