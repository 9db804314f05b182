// From argv to an exit code: finds the command, loads only its file, runs it, and turns every way to fail into words.

import { Command, CommanderError, Help } from 'commander'

import type { CommandModule } from './command.ts'
import { createOutput } from './output.ts'
import { addSharedOptions, isFirst } from './shared-options.ts'
import type { Surroundings } from './surroundings.ts'

export interface Entry {
  readonly summary: string
  readonly load: () => Promise<CommandModule>
}

/** In the order of `graft --help`. */
const COMMANDS: Readonly<Record<string, Entry>> = {
  init: { summary: 'write a new deployment repository', load: async () => (await import('./init.ts')).init },
  validate: {
    summary: 'say everything that is wrong with a commit',
    load: async () => (await import('./validate.ts')).validate,
  },
  plan: {
    summary: 'show what would be done, field by field',
    load: async () => (await import('./plan.ts')).planCommand,
  },
  apply: { summary: 'do it once, and watch', load: async () => (await import('./apply.ts')).applyCommand },
  run: { summary: 'follow the repository for good', load: async () => (await import('./run.ts')).runCommand },
  status: { summary: 'show the tree with what runs', load: async () => (await import('./status.ts')).statusCommand },
  history: {
    summary: 'show which commits touched a container or a set, and what came of them',
    load: async () => (await import('./history.ts')).historyCommand,
  },
  trace: {
    summary: 'go from a container to its commit, author, file and pull request',
    load: async () => (await import('./trace.ts')).traceCommand,
  },
  diff: {
    summary: 'show two commits as generations and fields',
    load: async () => (await import('./diff.ts')).diffCommand,
  },
  logs: {
    summary: 'show the logs of a container, or of a whole set',
    load: async () => (await import('./logs.ts')).logsCommand,
  },
  bump: {
    summary: 'write another image or version, with the next free generations',
    load: async () => (await import('./bump.ts')).bumpCommand,
  },
  outdated: {
    summary: 'list what the registries offer beyond what is declared',
    load: async () => (await import('./outdated.ts')).outdatedCommand,
  },
  revert: {
    summary: 'take a commit back, or put a leaf or a set back as it was',
    load: async () => (await import('./revert.ts')).revertCommand,
  },
  restart: {
    summary: 'give a container, or a whole set, new containers',
    load: async () => (await import('./restart.ts')).restartCommand,
  },
  stop: { summary: 'stop a set, as a commit', load: async () => (await import('./set-life.ts')).stopCommand },
  start: {
    summary: 'start a stopped set, as a commit',
    load: async () => (await import('./set-life.ts')).startCommand,
  },
  retry: { summary: 'try a generation again that failed', load: async () => (await import('./retry.ts')).retryCommand },
  adopt: {
    summary: 'take over containers that somebody else made',
    load: async () => (await import('./adopt.ts')).adopt,
  },
  approve: {
    summary: 'say that removals which wait are meant',
    load: async () => (await import('./approve.ts')).approve,
  },
  down: {
    summary: 'take the deployment away from the engine',
    load: async () => (await import('./down.ts')).down,
  },
  calls: {
    summary: 'list the calls that graft makes to an engine',
    load: async () => (await import('./calls.ts')).callsCommand,
  },
  schema: {
    summary: 'print the JSON Schemas that editors check with',
    load: async () => (await import('./schema.ts')).schemaCommand,
  },
}

/** `more`: commands that live beside this room. Never throws; everything said is on the surroundings' streams. */
export async function runCommandLine(
  argv: readonly string[],
  surroundings: Surroundings,
  version: string,
  more: Readonly<Record<string, Entry>> = {},
): Promise<number> {
  let exitCode = 0
  const program = new Command('graft')
  const modules = new Map<Command, Entry>()
  const { stdout, stderr } = surroundings
  program
    .description('Keeps the containers of a Docker host the way a Git repository says they should be.')
    .helpOption('-h, --help', 'show help')
    .helpCommand(false)
    .usage('COMMAND [OPTIONS]')
    .exitOverride()
    .configureOutput({
      writeOut: (text) => void stdout.stream.write(text),
      writeErr: (text) => void stderr.stream.write(text),
      getOutHelpWidth: () => Math.min(110, stdout.size().columns),
      getErrHelpWidth: () => Math.min(110, stderr.size().columns),
      outputError: (text, write) => write(`graft: ${text.replace(/^error: /, '')}`),
    })
    .showHelpAfterError('  → graft --help shows what there is')
    .configureHelp({
      showGlobalOptions: true,
      visibleGlobalOptions: firstGlobalOptions,
      formatHelp: commandsFirst,
      styleTitle,
    })
    .addHelpText('after', CLOSING)
  // Options of the program are found behind the command, too, and bump has a --version of its own.
  if (!argv.includes('bump')) program.version(version, '--version', 'print the version')
  addSharedOptions(program)
  for (const [name, entry] of Object.entries({ ...COMMANDS, ...more })) {
    const command = program
      .command(name)
      .summary(entry.summary)
      .description(capital(entry.summary))
      .helpOption('-h, --help', 'show help')
      .showHelpAfterError(`  → graft ${name} --help shows what there is`)
    modules.set(command, entry)
  }
  program.hook('preSubcommand', async (_program, command) => {
    const module = await modules.get(command)?.load()
    if (module === undefined) return
    module.configure(command)
    command.action(async () => {
      const shared = program.opts<Record<string, unknown>>()
      const own = command.opts<Record<string, unknown>>()
      const output = createOutput(surroundings, shared['color'] === false ? false : undefined)
      try {
        exitCode = await module.run({ surroundings, output, shared, own, args: command.args })
      } catch (error) {
        const { tellFailure } = await import('./mistakes.ts')
        tellFailure(error, output, own['json'] === true, (surroundings.env['GRAFT_DEBUG'] ?? '') !== '')
        exitCode = 1
      }
    })
  })
  try {
    await program.parseAsync(helpFirst(argv), { from: 'user' })
    return exitCode
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 1
    throw error
  }
}

const CLOSING = `
Settings come from options, then from GRAFT_* variables (GRAFT_REPO, GRAFT_ENGINE, …), then from the settings file.
A first try: graft init my-deployment`

/** `graft help plan` is `graft plan --help`. */
function helpFirst(argv: readonly string[]): string[] {
  const [first, ...rest] = argv
  if (first === undefined) return ['--help']
  return first === 'help' ? [...rest, '--help'] : [...argv]
}

/** Of the shared options a command's own help shows those that people need most. */
function firstGlobalOptions(this: Help, command: Command): ReturnType<Help['visibleGlobalOptions']> {
  return Help.prototype.visibleGlobalOptions.call(this, command).filter(isFirst)
}

/** What a person looks for comes before the options, of which there are many. */
function commandsFirst(this: Help, command: Command, helper: Help): string {
  const sections = Help.prototype.formatHelp.call(this, command, helper).trimEnd().split('\n\n')
  const commands = sections.filter((section) => section.startsWith('Commands:'))
  const rest = sections.filter((section) => !section.startsWith('Commands:'))
  return `${[...rest.slice(0, 2), ...commands, ...rest.slice(2)].join('\n\n')}\n`
}

function styleTitle(title: string): string {
  return title === 'Global Options:' ? 'Options of every command:' : title
}

function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1)
}
