// A program of its own: serves the repositories below a folder over HTTP until it is ended, so that a demo that is kept
// can be pushed to after the demo has ended. Says its address on the first line.

import { startGitServer } from './git-server.ts'

const [folder = '.', port = '0'] = process.argv.slice(2)
const server = await startGitServer({ folder, port: Number(port) })
process.stdout.write(`${server.url}\n`)
// Nobody reads what would come later.
process.stdout.on('error', () => undefined)
for (const signal of ['SIGTERM', 'SIGINT'] as const)
  process.once(signal, () => void server.stop().then(() => process.exit(0)))
