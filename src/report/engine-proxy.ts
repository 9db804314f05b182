// The calls that graft makes to an engine, as a table for a person and as the configuration of an HAProxy that lets
// through these and no others.

import { CALLS_USED, pathPattern, type CallUsed } from '../engine/calls-used.ts'

export interface ProxyPlace {
  /** Path of the engine's own socket. */
  readonly engine: string
  /** Path of the socket that graft is given. */
  readonly socket: string
  /** Who may use that socket. */
  readonly user: string
  /** The account that HAProxy runs as once its socket is there. */
  readonly account: string
  /** The group that may use the engine's own socket. */
  readonly group: string
}

/** One line for each call: method, path, what for, and which command alone makes it. */
export function callLines(): string[] {
  const widest = Math.max(...CALLS_USED.map(({ path }) => path.length))
  return CALLS_USED.map(({ method, path, purpose, only }) => {
    const by = only === undefined ? '' : ` (only by ${only}; not let through by the proxy)`
    return `${method.padEnd(6)}  ${path.padEnd(widest)}  ${purpose}${by}`
  })
}

/** Words that graft hands on to a person, in the shape of the engine's own. */
const DENY = `http-request deny deny_status 403 content-type application/json string '{"message":"the proxy before the engine refuses it"}'`

/** A whole configuration for HAProxy 2.4 or newer, with a line for each call that a daemon makes. */
export function engineProxyLines({ engine, socket, user, account, group }: ProxyPlace): string[] {
  return [
    '# Lets through to the Docker Engine the calls that graft makes, and no others. Written by `graft calls --haproxy`.',
    'global',
    `    user ${account}`,
    `    group ${group}`,
    '    log stdout format raw local0 notice',
    '    maxconn 512',
    '',
    'defaults',
    '    mode http',
    '    log global',
    '    option httplog',
    '    # What it refuses is told, as an error; what it lets through is not.',
    '    option dontlog-normal',
    '    option log-separate-errors',
    '    # A call that graft gives up ends on the engine, too.',
    '    option abortonclose',
    '    timeout connect 5s',
    '    timeout http-request 60s',
    '    # Events, logs and waits say nothing for hours.',
    '    timeout client 24h',
    '    timeout server 24h',
    '',
    'frontend graft',
    `    bind unix@${socket} user ${user} mode 600`,
    '    # What could be written in two ways would be read in two ways.',
    `    ${DENY} if { path -m sub '..' }`,
    `    ${DENY} if { path -m sub '%' }`,
    `    ${DENY} if { query -m reg '(^|[&;])[^=&;]*[%+]' }`,
    `    ${DENY} if { req.hdr(content-type) -m sub -i form }`,
    '    http-request set-var(txn.call) path,regsub(^/v1[.][0-9]+/,/)',
    ...CALLS_USED.filter(({ only }) => only === undefined).flatMap(rulesFor),
    `    ${DENY}`,
    '    default_backend engine',
    '',
    'backend engine',
    `    server engine unix@${engine}`,
  ]
}

function rulesFor(call: CallUsed): string[] {
  const matches = `{ method ${call.method} } { var(txn.call) -m reg '${pathPattern(call)}' }`
  const denials = Object.entries(call.query ?? {}).map(
    ([name, pattern]) =>
      `    ${DENY} if ${matches} { url_param(${name}) -m found } !{ url_param(${name}),url_dec -m reg '^${pattern}$' }`,
  )
  return [...denials, `    http-request allow if ${matches}`]
}
