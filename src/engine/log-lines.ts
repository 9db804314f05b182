// Frames of a log to lines: times read, pieces of long lines joined. Pure.

import type { LogLine } from '../apply/engine.ts'
import type { Frame } from './stream-frames.ts'

/** Docker cuts a line into pieces of this many bytes, and puts a time before each. */
const PIECE = 16 * 1024
/** A line longer than this is given in parts, so that a program without line ends cannot fill the memory. */
const LONGEST = 1024 * 1024
/** Bytes; what is longer without a space is cut anywhere. */
const LONGEST_WORD = 64 * 1024
const TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:\d\d) /
/** No time is longer than this, with its space. */
const TIME_LENGTH = 36

interface OpenLine {
  /** Bytes that came and are no whole piece yet. */
  rest: Buffer
  /** Pieces of the line so far, without times. */
  pieces: Buffer[]
  length: number
  time: number
}

/**
 * Feed it the frames of a log that was asked for with timestamps. Of a container with a terminal (`tty`) the pieces of
 * a long line come without a frame around them and are told apart by their length.
 */
export function logLineJoiner(tty: boolean): {
  add: (frame: Frame) => LogLine[]
  /** What came without a line end. */
  end: () => LogLine[]
} {
  const open: Record<Frame['stream'], OpenLine> = { stdout: emptyLine(), stderr: emptyLine() }
  return {
    add: (frame) => takeLines(frame.stream, open[frame.stream], frame.bytes, tty),
    end: () => {
      const lines: LogLine[] = []
      for (const stream of ['stdout', 'stderr'] as const) {
        const line = open[stream]
        if (line.rest.length > 0) addPiece(line, line.rest)
        line.rest = Buffer.alloc(0)
        if (line.length > 0) lines.push(close(stream, line))
      }
      return lines
    },
  }
}

function emptyLine(): OpenLine {
  return { rest: Buffer.alloc(0), pieces: [], length: 0, time: 0 }
}

function takeLines(stream: Frame['stream'], line: OpenLine, bytes: Buffer, tty: boolean): LogLine[] {
  const lines: LogLine[] = []
  let data: Buffer = line.rest.length === 0 ? bytes : Buffer.concat([line.rest, bytes])
  let newline = data.indexOf(10)
  while (newline >= 0) {
    addPieces(line, data.subarray(0, newline), tty)
    lines.push(close(stream, line))
    data = data.subarray(newline + 1)
    newline = data.indexOf(10)
  }
  // A frame without a line end is one whole piece; a terminal's stream may be cut anywhere.
  if (!tty && data.length > 0) {
    addPiece(line, data)
    data = Buffer.alloc(0)
    if (line.length > LONGEST) lines.push(closePart(stream, line))
  } else if (tty && data.length > LONGEST) {
    addPieces(line, data, tty)
    data = Buffer.alloc(0)
    lines.push(closePart(stream, line))
  }
  line.rest = Buffer.from(data)
  return lines
}

/** Of a terminal: a time, 16 KB, and where a time follows exactly there, the next piece. */
function addPieces(line: OpenLine, data: Buffer, tty: boolean): void {
  let rest = data
  while (tty) {
    const end = timeLength(rest) + PIECE
    if (rest.length <= end || timeLength(rest.subarray(end)) === 0) break
    addPiece(line, rest.subarray(0, end))
    rest = rest.subarray(end)
  }
  addPiece(line, rest)
}

function addPiece(line: OpenLine, data: Buffer): void {
  const length = timeLength(data)
  if (length > 0 && line.time === 0) line.time = Date.parse(data.toString('latin1', 0, length - 1))
  const piece = data.subarray(length)
  line.pieces.push(piece)
  line.length += piece.length
}

function timeLength(data: Buffer): number {
  return TIME.exec(data.toString('latin1', 0, TIME_LENGTH))?.[0].length ?? 0
}

/** A part of a line that is too long, cut between two words where it can be: half a secret is not known as one. */
function closePart(stream: LogLine['stream'], line: OpenLine): LogLine {
  const { time } = line
  const bytes = Buffer.concat(line.pieces)
  const space = bytes.lastIndexOf(32)
  const end = space > bytes.length - LONGEST_WORD ? space : bytes.length
  line.pieces = [bytes.subarray(0, end)]
  const part = close(stream, line)
  const rest = bytes.subarray(end)
  if (rest.length > 0) Object.assign(line, { pieces: [rest], length: rest.length, time })
  return part
}

function close(stream: Frame['stream'], line: OpenLine): LogLine {
  const text = Buffer.concat(line.pieces).toString('utf8').replace(/\r$/, '')
  const time = line.time
  line.pieces = []
  line.length = 0
  line.time = 0
  return { stream, time, text }
}
