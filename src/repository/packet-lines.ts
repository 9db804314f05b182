// Git's packet lines: four hex digits of length, then so many bytes less four; `0000` parts sections.
// Git documentation, gitprotocol-common, "pkt-line Format".

import { brokenAnswer } from './http-faults.ts'

export function packetLine(text: string): Buffer {
  const bytes = Buffer.from(text)
  return Buffer.concat([Buffer.from((bytes.length + 4).toString(16).padStart(4, '0')), bytes])
}

/** The packets without the marks between sections. Throws RepositoryFault where they are cut short. */
export function readPackets(bytes: Buffer, url: string): Buffer[] {
  const packets: Buffer[] = []
  for (let at = 0; at < bytes.length;) {
    const digits = bytes.toString('latin1', at, at + 4)
    const length = /^[0-9a-f]{4}$/i.test(digits) ? Number.parseInt(digits, 16) : -1
    if (length < 0 || at + Math.max(4, length) > bytes.length) throw brokenAnswer(url, 'a line of it is cut short')
    if (length > 4) packets.push(bytes.subarray(at + 4, at + length))
    at += Math.max(4, length)
  }
  return packets
}

/** Parts the data from what the server says to a person. gitprotocol-pack, "side-band-64k". */
export function withoutSideBand(bytes: Buffer, url: string): { data: Buffer; words: string[] } {
  const data: Buffer[] = []
  const words: Buffer[] = []
  for (const packet of readPackets(bytes, url)) (packet[0] === 1 ? data : words).push(packet.subarray(1))
  const said = Buffer.concat(words)
    .toString('utf8')
    .split(/[\r\n]+/)
  return { data: Buffer.concat(data), words: said.map((line) => line.trim()).filter((line) => line !== '') }
}
