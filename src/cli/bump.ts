// graft bump: another image, tag or version, with the generations that follow, in the files of a work tree or as a commit.

import { landBump, LANDING_OPTIONS } from './bump-land.ts'
import { bumpPlan, type AskedBump } from './bump-plan.ts'
import { examples, isSet, textOf, type CommandModule, type Invocation } from './command.ts'
import { Mistake } from './mistakes.ts'
import { openForCommand } from './open-command.ts'
import { withoutPolicy } from './validate.ts'

export const bumpCommand: CommandModule = {
  configure(command) {
    command
      .description(
        'Writes another image, tag or version, and the next free generation for each leaf whose spec changes by it. Comments and layout of the files stay.\nWithout --commit or --branch the files of the work tree are written, and Git is left to you.',
      )
      .argument('[NAME...]', 'leaves; with --version one set, by its path or name, . for the whole deployment')
      .option('--image <REF>', 'the whole image, written into the file of the leaf')
      .option(
        '--tag <TAG>',
        'another tag of the image it has, where that is written: in the leaf, a default or a variable',
      )
      .option('--version <VERSION>', 'the version of a set, which its leaves use as ${version}')
      .option('--digest', 'pin the tag to the digest that the registry serves now')
      .option('--outdated', 'the newest tags that the image_policy of leaves allows; of all leaves where none is named')
      .option('--branch-per-leaf', 'with --outdated: a new branch for each leaf, or for those that share a version')
      .option('--changed', 'only generations: for each leaf whose spec was changed without a new number')
    for (const [flags, description] of LANDING_OPTIONS) command.option(flags, description)
    command.option('--json', 'print JSON').addHelpText(
      'after',
      examples([
        ['graft bump nova-api --tag 2025.2', 'in the files of the work tree'],
        ['graft bump control/nova --version 2025.2', 'all leaves of a set that use ${version}'],
        ['graft bump web --image quay.io/example/web:1.4 --commit --push', 'deployed as soon as the branch is pushed'],
        ['graft bump web --tag 1.4 --branch web-1.4 --push', 'for a pull request'],
        ['graft bump --outdated --branch-per-leaf --push', 'each night'],
        ['graft bump --changed', 'after an edit by hand'],
      ]),
    )
  },
  async run(invocation) {
    const outdated = isSet(invocation.own, 'outdated')
    if (isSet(invocation.own, 'branchPerLeaf') && !outdated) {
      throw new Mistake('--branch-per-leaf goes with --outdated', 'add --outdated, or name a branch with --branch')
    }
    const asked = outdated ? null : askedOf(invocation)
    const opened = await openForCommand(invocation, withoutPolicy)
    try {
      if (asked === null) return await (await import('./bump-outdated.ts')).bumpOutdated(invocation, opened)
      return await landBump(invocation, opened, bumpPlan(asked, opened, invocation))
    } finally {
      await opened.deployment.close()
    }
  },
}

/** What the options ask for together; throws a Mistake where they do not go together. */
function askedOf({ own, args }: Invocation): AskedBump {
  const names = args.map((name) => name.replace(/(.)\/+$/, '$1'))
  const [image, tag, version] = [textOf(own, 'image'), textOf(own, 'tag'), textOf(own, 'version')]
  const digest = isSet(own, 'digest')
  const given = [
    ...(image === undefined ? [] : ['--image']),
    ...(tag === undefined ? [] : ['--tag']),
    ...(version === undefined ? [] : ['--version']),
    ...(isSet(own, 'changed') ? ['--changed'] : []),
  ]
  if (given.length > 1) throw new Mistake(`${given.join(' and ')} are different wishes`, 'keep one of them')
  if (isSet(own, 'changed')) {
    if (digest) throw new Mistake('--digest is for leaves that are named', 'graft bump NAME --digest pins them')
    if (names.length > 0) throw new Mistake('--changed finds the leaves itself', 'leave the names out')
    return { kind: 'changed' }
  }
  const [first] = names
  if (first === undefined) {
    throw new Mistake('it is not said what to bump', 'name a leaf, as in graft bump NAME --tag TAG; or use --changed')
  }
  if (version !== undefined) {
    if (digest) throw new Mistake('--digest is for leaves', 'name the leaves and pin them with --digest')
    if (names.length > 1) throw new Mistake('--version is for one set', 'bump one set after the other')
    return { kind: 'version', set: first, version }
  }
  if (given.length === 0 && !digest) {
    throw new Mistake(
      `it is not said what ${first} is to run`,
      'add --tag TAG, --image REF or --digest; of a set, --version VERSION',
    )
  }
  if (image !== undefined && names.length > 1) {
    const remedy = 'name one leaf, or give them all another tag with --tag'
    throw new Mistake('--image is for one leaf', remedy)
  }
  return { kind: 'image', names: [...new Set(names)], image, tag, digest }
}
