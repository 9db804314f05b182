// The mounts of a create order: named volumes and binds of existing folders as `Mounts`, which fail where the folder is
// missing; binds that make their folder or relabel it as `Binds`, the only form that can; tmpfs as `Tmpfs`.

import type { Mount } from '../desired/spec.ts'
import type { CreateOrder } from '../apply/engine.ts'
import { needsSecretsFolder, SECRETS_FOLDER } from '../desired/secret-source.ts'
import { imageVolumes } from '../plan/image-volumes.ts'
import type { WireHostConfig, WireMount } from './wire.ts'

export function mountOptions(order: CreateOrder): WireHostConfig {
  const { tree, leaf } = order
  const mounts: WireMount[] = []
  const binds: string[] = []
  const tmpfs: Record<string, string> = {}
  for (const mount of leaf.spec.mounts) {
    if (mount.type === 'tmpfs') tmpfs[mount.target] = tmpfsOptions(mount)
    else if (mount.type === 'volume') {
      mounts.push(volumeMount(mount, tree.volumes.get(mount.source)?.name ?? mount.source))
    } else if (mount.create_host_path || mount.selinux !== undefined) binds.push(bindText(mount))
    else {
      mounts.push({
        Type: 'bind',
        Source: mount.source,
        Target: mount.target,
        ReadOnly: mount.read_only,
        ...(mount.propagation === undefined ? {} : { BindOptions: { Propagation: mount.propagation } }),
      })
    }
  }
  for (const volume of imageVolumes(tree.name, leaf.name, leaf.spec, order.image)) {
    mounts.push({ Type: 'volume', Source: volume.name, Target: volume.target, ReadOnly: false })
  }
  // Without a name, so that it goes with the container.
  if (needsSecretsFolder(leaf.spec)) mounts.push({ Type: 'volume', Target: SECRETS_FOLDER, ReadOnly: false })
  return { Mounts: mounts, Binds: binds, Tmpfs: tmpfs }
}

function volumeMount(mount: Extract<Mount, { type: 'volume' }>, name: string): WireMount {
  const options = {
    ...(mount.nocopy === undefined ? {} : { NoCopy: mount.nocopy }),
    ...(mount.subpath === undefined ? {} : { Subpath: mount.subpath }),
  }
  return {
    Type: 'volume',
    Source: name,
    Target: mount.target,
    ReadOnly: mount.read_only,
    ...(Object.keys(options).length === 0 ? {} : { VolumeOptions: options }),
  }
}

/** `SOURCE:TARGET[:OPTIONS]`. */
function bindText(mount: Extract<Mount, { type: 'bind' }>): string {
  const options = [mount.read_only ? 'ro' : '', mount.propagation ?? '', mount.selinux ?? ''].filter(
    (part) => part !== '',
  )
  return [mount.source, mount.target, ...(options.length === 0 ? [] : [options.join(',')])].join(':')
}

/** `size=BYTES,mode=OCTAL,…`, as `docker run --tmpfs` takes it. */
function tmpfsOptions(mount: Extract<Mount, { type: 'tmpfs' }>): string {
  return [
    ...(mount.size === undefined ? [] : [`size=${mount.size}`]),
    ...(mount.mode === undefined ? [] : [`mode=${mount.mode.toString(8)}`]),
    ...(mount.options ?? []),
  ].join(',')
}
