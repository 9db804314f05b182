// Which container of nobody's stands for which leaf: by what the person says, by the leaf's own name, or by the labels
// that Compose gives. Pure.

import { nearest } from '../desired/nearest.ts'
import type { Problem } from '../desired/problem.ts'
import type { Tree } from '../desired/tree.ts'
import { liveName } from './names.ts'
import type { ObservedContainer } from './observed.ts'
import type { Situation } from './situation.ts'

export interface Asked {
  readonly leaf: string
  /** Name or id of a container; null: found by graft. */
  readonly container: string | null
}

export interface MatchInput {
  readonly tree: Tree
  readonly situations: ReadonlyMap<string, Situation>
  /** Running containers that belong to no deployment. */
  readonly foreign: readonly ObservedContainer[]
  readonly refused: ReadonlyMap<string, Problem>
  /** Empty: every leaf that has no container and for which there is one. */
  readonly asked: readonly Asked[]
  /** Compose's project; null: the deployment's name. */
  readonly project: string | null
}

export interface Unmatched {
  readonly leaf: string
  readonly because: string
  readonly remedy: string
}

export interface Matches {
  readonly matches: ReadonlyMap<string, ObservedContainer>
  readonly unmatched: readonly Unmatched[]
}

export function matchContainers(input: MatchInput): Matches {
  const { tree, asked } = input
  const wanted: readonly Asked[] =
    asked.length > 0 ? asked : [...tree.leaves.keys()].map((leaf) => ({ leaf, container: null }))
  const matches = new Map<string, ObservedContainer>()
  const unmatched: Unmatched[] = []
  const taken = new Map<string, string>()
  for (const one of wanted) {
    const found = matchOne(one, input, asked.length > 0)
    if (found === null) continue
    if ('because' in found) {
      unmatched.push({ leaf: one.leaf, ...found })
      continue
    }
    const other = taken.get(found.id)
    if (other !== undefined) {
      const because = `${found.name} would be ${other} already`
      unmatched.push({ leaf: one.leaf, because, remedy: 'name another container' })
      continue
    }
    taken.set(found.id, one.leaf)
    matches.set(one.leaf, found)
  }
  return { matches, unmatched }
}

type Words = Omit<Unmatched, 'leaf'>

/** Null: nothing to say, because nobody asked for this very leaf. */
function matchOne(
  { leaf: name, container }: Asked,
  input: MatchInput,
  isAsked: boolean,
): ObservedContainer | Words | null {
  const { tree, foreign } = input
  const found =
    container === null
      ? candidates(name, input)
      : foreign.filter(({ id, name: own }) => own === container || (container.length >= 6 && id.startsWith(container)))
  if (found.length === 0 && !isAsked) return null
  const obstacle = obstacleFor(name, input)
  if (obstacle !== null) return isAsked || obstacle.isNews ? obstacle.words : null
  const [first, second] = found
  if (first === undefined) return nothingFor(name, container, tree)
  if (second === undefined) return first
  return {
    because: `${found.map((one) => one.name).join(' and ')} could all be ${name}`,
    remedy: `say which one: graft adopt ${name}=${first.name}`,
  }
}

/** The leaf's own name comes before Compose's labels. */
function candidates(leaf: string, { tree, foreign, project }: MatchInput): readonly ObservedContainer[] {
  const named = foreign.filter(({ name }) => name === liveName(tree.prefix, leaf))
  if (named.length > 0) return named
  return foreign.filter(({ running: { labels } }) => {
    const isOneOff = labels['com.docker.compose.oneoff'] === 'True'
    const isOurs = labels['com.docker.compose.project'] === (project ?? tree.name)
    return labels['com.docker.compose.service'] === leaf && isOurs && !isOneOff
  })
}

/** `isNews`: worth saying even where nobody asked for this leaf. */
function obstacleFor(
  name: string,
  { tree, situations, refused }: MatchInput,
): { readonly words: Words; readonly isNews: boolean } | null {
  const leaf = tree.leaves.get(name)
  const says = (because: string, remedy: string, isNews = true) => ({ words: { because, remedy }, isNews })
  if (leaf === undefined) {
    const close = nearest(name, tree.leaves.keys())
    return says(
      `${tree.name} has no leaf ${name}`,
      close === null ? 'graft status shows the leaves there are' : `did you mean ${close}?`,
    )
  }
  if (leaf.kind === 'job' || name === tree.ingress?.leaf) {
    const what = leaf.kind === 'job' ? 'a job' : 'the ingress'
    return says(`it is ${what}, and only containers that stay are taken over`, 'let graft apply make it', false)
  }
  const situation = situations.get(name)
  const own = situation?.live ?? situation?.candidate ?? null
  if (own !== null)
    return says(`it has a container of graft's already: ${own.name}`, 'there is nothing to adopt', false)
  const refusal = refused.get(name)
  if (refusal !== undefined) return says(refusal.message, refusal.remedy)
  if (leaf.suspend) return says('its set is suspended', 'take suspend out of its set first')
  if (leaf.state === 'stopped') {
    return says('its set is stopped, so it would be stopped at once', 'start the set first: graft start SET')
  }
  return null
}

function nothingFor(leaf: string, container: string | null, tree: Tree): Words {
  if (container !== null) {
    return {
      because: `there is no running container ${container} that belongs to nobody`,
      remedy: 'see with docker ps how it is called, and whether it runs',
    }
  }
  return {
    because: `no running container is called ${liveName(tree.prefix, leaf)}, and none is the service ${leaf} of a Compose project ${tree.name}`,
    remedy: `name it: graft adopt ${leaf}=CONTAINER, or name the project: --project PROJECT`,
  }
}
