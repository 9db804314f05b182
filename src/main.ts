#!/usr/bin/env node
// The executable: argv → command → exit code.

import { readFileSync } from 'node:fs'

import { runCommandLine } from './cli/program.ts'
import { processSurroundings } from './cli/surroundings.ts'

const { version } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as { version: string }

// A reader that goes away (`graft logs | head`) is no fault.
process.stdout.on('error', (error: NodeJS.ErrnoException) => process.exit(error.code === 'EPIPE' ? 0 : 1))

process.exitCode = await runCommandLine(process.argv.slice(2), processSurroundings(), version, {
  demo: {
    summary: 'show the main job from nothing, on a real engine',
    load: async () => (await import('./demo/demo-command.ts')).demoCommand,
  },
})
