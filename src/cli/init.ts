// graft init: writes a new deployment repository, small and commented, that graft validate likes.

import { access, mkdir, writeFile } from 'node:fs/promises'
import { basename, dirname, join, relative, resolve } from 'node:path'

import { findLocalFolder } from '../repository/local-folder.ts'
import { examples, textOf, type CommandModule } from './command.ts'
import { initFiles } from './init-files.ts'
import { HOOK_PATH } from './init-workflows.ts'
import { Mistake } from './mistakes.ts'

export const init: CommandModule = {
  configure(command) {
    command
      .description(
        'Writes a new deployment repository: a deployment, a set, a container, and checks for pull requests. Overwrites nothing.',
      )
      .argument('[FOLDER]', 'where; default: the current folder')
      .option('--name <NAME>', "the deployment's name; default: the folder's")
      .configureHelp({ showGlobalOptions: false })
      .addHelpText(
        'after',
        examples([
          ['graft init my-site', ''],
          ['graft init . --name shop', 'in the current folder'],
        ]),
      )
  },
  async run({ surroundings, output, own, args }) {
    const { cwd } = surroundings
    const folder = resolve(cwd, args[0] ?? '.')
    const files = initFiles(nameFor(folder, textOf(own, 'name')))
    const present: string[] = []
    for (const path of files.keys()) if (await exists(join(folder, path))) present.push(path)
    if (present.length > 0) {
      throw new Mistake(
        `${present.join(', ')} ${present.length === 1 ? 'is' : 'are'} already in ${folder}`,
        'name another folder: graft init FOLDER; nothing was written',
      )
    }
    for (const [path, text] of files) {
      await mkdir(dirname(join(folder, path)), { recursive: true })
      await writeFile(join(folder, path), text, { flag: 'wx', mode: path === HOOK_PATH ? 0o755 : 0o644 })
    }
    const { palette } = output
    const shown = relative(cwd, folder) || '.'
    const visible = [...files.keys()].filter((path) => !path.startsWith('.schemas/'))
    const inRepository = await findLocalFolder(folder).then(
      () => true,
      () => false,
    )
    output.print([
      ...visible.map((path) => `${palette.good('+')} ${join(shown, path)}`),
      `${palette.good('+')} ${palette.dim(join(shown, '.schemas/'))}`,
      '',
      palette.bold('Next:'),
      ...(shown === '.' ? [] : [`  cd ${shown}`]),
      ...(inRepository ? [] : ['  git init -b main']),
      '  git add . && git commit -m "A first deployment"',
      '  git config core.hooksPath .githooks    # mistakes are found before each commit',
      '  graft validate    # what is wrong with it: nothing',
      '  graft plan        # what would be done on this host',
      '  graft apply       # do it',
    ])
    return 0
  },
}

function nameFor(folder: string, asked: string | undefined): string {
  if (asked !== undefined) {
    if (/^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])$/.test(asked)) return asked
    throw new Mistake(
      `--name ${asked} is no name for a deployment`,
      'use two to 63 of a-z, 0-9 and -, not beginning or ending with -',
    )
  }
  const name = basename(folder)
    .toLowerCase()
    .replace(/[^a-z0-9-]+/g, '-')
    .replace(/^-+|-+$/g, '')
    .slice(0, 63)
    .replace(/-+$/, '')
  return name.length < 2 ? 'my-deployment' : name
}

async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  )
}
