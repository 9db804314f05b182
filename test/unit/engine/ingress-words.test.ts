// What HAProxy said is read as 2.6 wrote it.

import { describe, expect, it } from 'vitest'

import { ASIDE, bindsOf, complaintIn, withBindsOnly } from '../../../src/engine/ingress-words.ts'

const CHECKED = `[NOTICE]   (25) : haproxy version is 2.6.12-1+deb12u3
[NOTICE]   (25) : path to executable is /usr/sbin/haproxy
[ALERT]    (25) : config : parsing [/graft-ingress/next.cfg:12] : unknown keyword 'odd' in 'frontend' section
[WARNING]  (25) : config : parsing [/graft-ingress/next.cfg:14] : something is only odd
[ALERT]    (25) : config : Error(s) found in configuration file : /graft-ingress/next.cfg
[ALERT]    (25) : config : Fatal errors found in configuration.
`

describe('complaintIn', () => {
  it('gives the alerts without their frame, and the lines they name', () => {
    expect(complaintIn(CHECKED, 'next.cfg', ASIDE)).toEqual({
      words: ["config : parsing [line 12] : unknown keyword 'odd' in 'frontend' section"],
      lines: [12],
    })
  })

  it('sorts lines as numbers and says each thing once', () => {
    const taken = (line: number) =>
      `[ALERT] (1) : Binding [a.cfg:${line}] for frontend low: cannot bind socket (Address already in use) for [0.0.0.0:80]`
    const { words, lines } = complaintIn([taken(100), taken(23), taken(23)].join('\n'), 'a.cfg', ASIDE)
    expect(lines).toEqual([23, 100])
    expect(words).toHaveLength(2)
  })

  it('finds nothing in what is said of another file, or of processes only', () => {
    expect(complaintIn(CHECKED, 'haproxy.cfg', ASIDE).lines).toEqual([])
    expect(complaintIn('[ALERT] (1) : worker (7) exited with code 143\n', 'a.cfg', ASIDE)).toEqual({
      words: [],
      lines: [],
    })
  })
})

describe('bind lines', () => {
  const TEXT = `frontend web
  bind 0.0.0.0:80
  bind [::]:80 v6only
  bind unix@/run/graft-ingress/web.sock mode 666 accept-proxy
`

  it('are those that open ports', () => {
    expect([...bindsOf(TEXT)]).toEqual(['bind 0.0.0.0:80', 'bind [::]:80 v6only'])
  })

  it('become comments where they are not wanted, and no line moves', () => {
    expect(withBindsOnly(TEXT, (bind) => bind.includes('::'))).toBe(
      TEXT.replace('  bind 0', '#   bind 0').replace('  bind unix', '#   bind unix'),
    )
  })
})
