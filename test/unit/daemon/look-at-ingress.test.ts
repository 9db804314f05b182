// Which configuration the ingress serves is asked beside the look at the engine, and only of what runs.

import { describe, expect, it } from 'vitest'

import type { Engine } from '../../../src/apply/engine.ts'
import { lookAtIngress } from '../../../src/daemon/look-at-ingress.ts'
import type { Tree } from '../../../src/desired/tree.ts'
import { hostOf, leaf, treeOf, type Host } from '../plan/build.ts'

const timeouts = { connect: 1, tcp: 1, http: 1, keep_alive: 1 }
const plain = treeOf({ front: leaf(1), web: leaf(1) })
const tree: Tree = { ...plain, ingress: { leaf: 'front', checkPort: 1936, ipv6: true, timeouts } }

/** The engine with an ingress that answers with its container's id; `asked` holds who was asked, and when. */
function answering(host: Host, asked: string[]): Engine {
  return new Proxy<Engine>(host.engine, {
    get(target, key, receiver) {
      if (key !== 'ingressDigest') return Reflect.get(target, key, receiver) as unknown
      return (id: string, port: number) => {
        asked.push(`${id} ${port}`)
        return Promise.resolve(`digest of ${id}`)
      }
    },
  })
}

describe('the look at the ingress', () => {
  it('asks each running container of it, early where it is known from before', async () => {
    const host = await hostOf(tree)
    const old = await host.put(tree, 'front', { role: 'retired' })
    const live = await host.put(tree, 'front')
    await host.put(tree, 'front', { role: 'failed', state: 'stopped' })
    await host.put(tree, 'web')
    const asked: string[] = []
    const { look } = lookAtIngress(answering(host, asked))
    const [observed, serves] = await look(tree, host.observe(tree))
    expect(observed.containers).toHaveLength(4)
    const both = [old, live].toSorted()
    expect([...serves.keys()].toSorted()).toEqual(both)
    expect(serves.get(live)).toBe(`digest of ${live}`)
    expect(asked.splice(0).toSorted()).toEqual(both.map((id) => `${id} 1936`))
    let looked = () => {}
    const looking = new Promise<void>((resolve) => (looked = resolve)).then(() => host.observe(tree))
    const second = look(tree, looking)
    expect(asked).toHaveLength(2)
    await host.engine.stop(old)
    looked()
    expect([...(await second)[1].keys()]).toEqual([live])
    expect(asked).toHaveLength(2)
  })

  it('does not ask at all without an ingress', async () => {
    const host = await hostOf(plain)
    await host.put(plain, 'front')
    const asked: string[] = []
    const [, serves] = await lookAtIngress(answering(host, asked)).look(plain, host.observe(plain))
    expect({ asked, serves: [...serves] }).toEqual({ asked: [], serves: [] })
  })

  it('takes one that does not answer for one that serves nothing, and passes on a fault of the look', async () => {
    const host = await hostOf(tree)
    const live = await host.put(tree, 'front')
    const silent = new Proxy<Engine>(host.engine, {
      get: (target, key, receiver) =>
        key === 'ingressDigest'
          ? () => Promise.reject(new Error('no'))
          : (Reflect.get(target, key, receiver) as unknown),
    })
    const { look } = lookAtIngress(silent)
    expect([...(await look(tree, host.observe(tree)))[1]]).toEqual([[live, null]])
    await expect(look(tree, Promise.reject(new Error('away')))).rejects.toThrow('away')
  })
})
