// graft schema: the JSON Schemas that editors complete and check with.

import { mkdir, writeFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'

import { nearest } from '../desired/nearest.ts'
import { examples, textOf, type CommandModule } from './command.ts'
import { Mistake } from './mistakes.ts'
import { allSchemas, SCHEMA_NAMES, schemaFile, schemaText, type SchemaName } from './schemas.ts'

export const schemaCommand: CommandModule = {
  configure(command) {
    command
      .description('Prints the JSON Schema of one kind of file, or writes all of them into a folder.')
      .argument('[KIND]', `one of ${SCHEMA_NAMES.join(', ')}`)
      .option('--write <FOLDER>', 'write all schemas there')
      .configureHelp({ showGlobalOptions: false })
      .addHelpText(
        'after',
        examples([
          ['graft schema container', 'of a container or a job'],
          ['graft schema --write .schemas', 'all, for an editor without a network'],
        ]),
      )
  },
  async run({ output, own, args, surroundings }) {
    const schemas = allSchemas()
    const folder = textOf(own, 'write')
    if (folder !== undefined) {
      const target = resolve(surroundings.cwd, folder)
      await mkdir(target, { recursive: true })
      for (const name of SCHEMA_NAMES) await writeFile(join(target, schemaFile(name)), schemaText(schemas[name]))
      output.print(SCHEMA_NAMES.map((name) => join(folder, schemaFile(name))))
      return 0
    }
    const kind = kindOf(args[0])
    output.stdout.stream.write(schemaText(schemas[kind]))
    return 0
  },
}

function kindOf(text: string | undefined): SchemaName {
  const found = SCHEMA_NAMES.find((name) => name === (text ?? 'container'))
  if (found !== undefined) return found
  const close = nearest(text ?? '', SCHEMA_NAMES)
  throw new Mistake(
    `there is no schema ${text}`,
    close === null ? `there are ${SCHEMA_NAMES.join(', ')}` : `did you mean ${close}?`,
  )
}
