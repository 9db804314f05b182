// graft bump --outdated: the newest tags that the leaves' own image_policy allows, in one bump or a branch for each leaf.

import { readLimits } from '../daemon/limit-settings.ts'
import { createReader } from '../desired/read.ts'
import { editImages } from '../desired/image-edit.ts'
import { isRefusal } from '../desired/text-edits.ts'
import type { Tree } from '../desired/tree.ts'
import type { Registry } from '../registry/registry.ts'
import { bumpSubject } from '../report/bump-words.ts'
import { imageStepText, type ImageStep } from '../report/image-step-words.ts'
import { count } from '../report/plurals.ts'
import { RepositoryFault } from '../repository/repository.ts'
import { destinationOf, landBump, type BumpPlan } from './bump-land.ts'
import { isSet, textOf, type Invocation } from './command.ts'
import { Mistake, Problems } from './mistakes.ts'
import type { Opened } from './open-command.ts'
import { openRegistry } from './open-registry.ts'
import type { Follower, Group } from './outdated-groups.ts'
import { lookAt, type Failed } from './outdated-look.ts'
import { stepsOf } from './outdated-steps.ts'

export async function bumpOutdated(invocation: Invocation, opened: Opened): Promise<number> {
  checkOptions(invocation)
  const registry = openRegistry(opened.settings, invocation.surroundings.env)
  try {
    if (isSet(invocation.own, 'branchPerLeaf')) return await onBranches(invocation, opened, registry)
    const seen: Seen = { failed: [], groups: [], steps: [] }
    await landBump(invocation, opened, planFor(invocation, registry, seen))
    return exitCode(seen.failed)
  } finally {
    await registry.close()
  }
}

function checkOptions({ own }: Invocation): void {
  const other = (['image', 'tag', 'version'] as const).find((name) => textOf(own, name) !== undefined)
  const wish = other ?? (isSet(own, 'changed') ? 'changed' : null)
  if (wish !== null) throw new Mistake(`--outdated and --${wish} are different wishes`, 'keep one of them')
  if (!isSet(own, 'branchPerLeaf')) return
  for (const name of ['branch', 'message'] as const) {
    if (textOf(own, name) === undefined) continue
    throw new Mistake(`--branch-per-leaf chooses each ${name} itself`, `leave --${name} out`)
  }
}

/** What the last look at the registries gave; a commit may take more than one. */
interface Seen {
  failed: readonly Failed[]
  groups: readonly Group[]
  steps: readonly ImageStep[]
}

/** `only`: the leaves of one group; absent: all. */
function planFor(invocation: Invocation, registry: Registry, seen: Seen, only?: ReadonlySet<string>): BumpPlan {
  const named = new Set<string>()
  return {
    named,
    mayChangeOthers: false,
    async edit(snapshot, tree) {
      const look = await lookAt(invocation, registry, snapshot, tree)
      const groups = look.groups.filter(
        ({ followers }) => only === undefined || followers.some(({ wish }) => only.has(wish.leaf)),
      )
      const followers = groups.flatMap((group) => group.followers)
      Object.assign(seen, { failed: look.failed, groups, steps: await stepsOf(followers, tree, registry) })
      named.clear()
      for (const { wish } of followers) named.add(wish.leaf)
      const wishes = followers.map(({ wish }) => wish)
      const made = editImages(snapshot, tree, wishes)
      const remarks = only === undefined ? look.remarks : []
      return isRefusal(made) ? made : { ...made, remarks: [...remarks, ...made.remarks] }
    },
    nothing: 'every leaf with an image_policy has the newest that it allows; there is nothing to change',
    subject: () => subjectOf(seen.groups.flatMap((group) => group.followers)),
    more: () => imageStepText(seen.steps),
  }
}

function subjectOf(followers: readonly Follower[]): string {
  const names = followers.map(({ wish }) => wish.leaf)
  const tags = new Set(followers.map(({ news }) => news.newer))
  const [tag = null] = tags.size === 1 ? tags : []
  const [only] = followers
  if (tag === null && only !== undefined && followers.length === 1) {
    return bumpSubject(names, `what ${only.news.reference?.tag ?? 'its tag'} is now`)
  }
  return bumpSubject(names, tag)
}

async function onBranches(invocation: Invocation, opened: Opened, registry: Registry): Promise<number> {
  const { deployment } = opened
  const { own, output } = invocation
  destinationOf({ ...own, branch: 'x' }, opened)
  const { commit: tip } = await deployment.repository.refresh()
  const snapshot = await deployment.repository.snapshot(tip.id)
  const { tree, problems } = createReader(readLimits(deployment.settings.limits)).read(snapshot, { host: null })
  if (tree === null) throw new Problems(problems)
  const { news, groups, failed, remarks } = await lookAt(invocation, registry, snapshot, tree)
  const isJson = isSet(own, 'json')
  const bumps: unknown[] = []
  const there: string[] = []
  const quiet = { ...output, printJson: (data: unknown) => void bumps.push(data) }
  for (const group of groups) {
    const branch = branchFor(group, tree)
    const names = new Set(group.followers.map(({ wish }) => wish.leaf))
    const seen: Seen = { failed: [], groups: [], steps: [] }
    try {
      const plan = planFor(invocation, registry, seen, names)
      await landBump({ ...invocation, own: { ...own, branch }, output: isJson ? quiet : output }, opened, plan)
    } catch (error) {
      const isThere =
        error instanceof RepositoryFault && error.kind === 'refused' && /is there already/.test(error.message)
      if (!isThere) throw error
      there.push(branch)
    }
  }
  if (isJson) output.printJson({ format: 1, bumps, there, remarks })
  else {
    const { palette } = output
    output.print([
      ...there.map((branch) => palette.dim(`the branch ${branch} is there already, and stays as it is`)),
      ...remarks.map((remark) => `${palette.changed('!')} ${remark}`),
      ...(groups.length === 0
        ? [palette.dim(`${count(news.length, 'leaf', 'leaves')} with an image_policy, nothing to follow`)]
        : []),
    ])
  }
  return exitCode(failed)
}

/** `bump/web-1.4`; what shares a set's value is named by the set. */
function branchFor({ followers, set }: Group, tree: Tree): string {
  const [first] = followers
  const shared = set === null ? null : set === '' ? tree.name : set.replaceAll('/', '-')
  const name = followers.length > 1 && shared !== null ? shared : (first?.wish.leaf ?? 'nothing')
  const { tag, digest } = first?.wish ?? {}
  const to = tag ?? digest?.replace(/^sha\d+:(.{12}).*$/, '$1') ?? 'now'
  return `bump/${name}-${to}`.replaceAll('..', '.').replace(/\.(lock)?$/, '')
}

/** 1 where a registry did not answer, so that a scheduled run is not green. */
function exitCode(failed: readonly Failed[]): number {
  return failed.length > 0 ? 1 : 0
}
