// The kernel's connection tables, counted.

import { expect, test } from 'vitest'
import { countConnections } from '../../../src/engine/open-connections.ts'

test('clients of ports that are listened on count, IPv4 and IPv6; others and the container itself do not', () => {
  const rest = '00000000:00000000 00:00000000 00000000 0 0 1'
  const table = [
    '  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode',
    `   0: 00000000:1F90 00000000:0000 0A ${rest}`,
    `   1: 0200000A:1F90 0100000A:C350 01 ${rest}`,
    // Time-wait, a connection that the container opened itself, and its own check over loopback.
    `   2: 0200000A:1F90 0100000A:C351 06 ${rest}`,
    `   3: 0200000A:D000 0900000A:0CEA 01 ${rest}`,
    `   4: 0100007F:1F90 0100007F:D001 01 ${rest}`,
    '  sl  local_address                         remote_address                        st tx_queue rx_queue',
    `   0: 0000000000000000FFFF00000200000A:1F90 0000000000000000FFFF00000100000A:C352 01 ${rest}`,
    `   1: 0000000000000000FFFF00000100007F:1F90 0000000000000000FFFF00000100007F:C353 01 ${rest}`,
    `   2: 00000000000000000000000001000000:1F90 00000000000000000000000001000000:C354 01 ${rest}`,
  ]
  expect(countConnections(table.join('\n'))).toBe(2)
  expect(countConnections('')).toBe(0)
})
