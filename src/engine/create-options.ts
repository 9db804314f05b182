// A create order as the body of the engine's ContainerCreate: every key of a spec, in the engine's units
// (Engine API 1.41 to 1.51, ContainerCreate). The restart policy is always `no`: only a live container has another.

import type { EngineHealthcheck, Spec } from '../desired/spec.ts'
import type { CreateOrder } from '../apply/engine.ts'
import { wantsInit } from '../plan/init.ts'
import { limitOptions } from './create-limits.ts'
import { mountOptions } from './create-mounts.ts'
import { type Networking, networkOptions } from './create-networking.ts'
import { containerLabels } from './labels.ts'
import { secretVariables } from './secret-files.ts'
import type { WireConfig, WireHealthcheck, WireHostConfig } from './wire.ts'

export interface CreateBody extends WireConfig {
  HostConfig: WireHostConfig
  NetworkingConfig: { EndpointsConfig: Networking['endpoints'] }
}

const NANOSECONDS_A_MILLISECOND = 1e6

/**
 * `image` is what the engine is to run, by reference or id. `afterwards` are the networks that this version of the API
 * cannot join at creation. Throws an EngineFault `not-found` where a joined container is not in the order.
 */
export function createOptions(
  order: CreateOrder,
  image: string,
  apiVersion: string,
): { body: CreateBody; afterwards: Networking['afterwards'] } {
  const { spec } = order.leaf
  const networking = networkOptions(order, apiVersion)
  const body: CreateBody = {
    ...processOptions(spec, order),
    Image: image,
    Labels: { ...spec.labels, ...containerLabels(order) },
    ...networking.config,
    HostConfig: {
      ...privilegeOptions(spec),
      ...limitOptions(spec),
      ...mountOptions(order),
      ...networking.hostConfig,
      Init: wantsInit(spec, order.image),
      RestartPolicy: { Name: 'no', MaximumRetryCount: 0 },
      LogConfig: { Type: spec.logging.driver, Config: spec.logging.options },
    },
    NetworkingConfig: { EndpointsConfig: networking.endpoints },
  }
  return { body, afterwards: networking.afterwards }
}

function processOptions(spec: Spec, order: CreateOrder): WireConfig {
  return {
    ...commandOptions(spec, order.image.entrypoint),
    Env: Object.entries({ ...spec.environment, ...secretVariables(order.leaf) }).map(
      ([name, value]) => `${name}=${value}`,
    ),
    Tty: spec.tty,
    OpenStdin: spec.stdin_open,
    ...(spec.user === undefined ? {} : { User: spec.user }),
    ...(spec.working_dir === undefined ? {} : { WorkingDir: spec.working_dir }),
    ...(spec.hostname === undefined ? {} : { Hostname: spec.hostname }),
    ...(spec.domainname === undefined ? {} : { Domainname: spec.domainname }),
    ...(spec.stop_signal === undefined ? {} : { StopSignal: spec.stop_signal }),
    ...(spec.stop_grace_period === undefined ? {} : { StopTimeout: Math.ceil(spec.stop_grace_period / 1000) }),
    ...(spec.healthcheck === undefined ? {} : { Healthcheck: healthcheckOptions(spec.healthcheck) }),
  }
}

/**
 * The engine takes the image's entry point for an absent one and the image's command where the entry point is absent
 * too. An empty list means "none" in Compose: for the entry point the engine's word for that is `[""]`, and an empty
 * command holds only where an entry point is named.
 */
function commandOptions(spec: Spec, imageEntrypoint: readonly string[]): WireConfig {
  const { entrypoint, command } = spec
  if (entrypoint !== undefined) {
    return { Entrypoint: entrypoint.length === 0 ? [''] : entrypoint, Cmd: command ?? [] }
  }
  if (command === undefined) return {}
  return command.length === 0 ? { Entrypoint: [...imageEntrypoint], Cmd: [] } : { Cmd: command }
}

function healthcheckOptions(check: EngineHealthcheck): WireHealthcheck {
  if ('disable' in check) return { Test: ['NONE'] }
  const nanoseconds = (milliseconds: number) => Math.round(milliseconds * NANOSECONDS_A_MILLISECOND)
  return {
    ...(check.test === undefined ? {} : { Test: check.test }),
    ...(check.interval === undefined ? {} : { Interval: nanoseconds(check.interval) }),
    ...(check.timeout === undefined ? {} : { Timeout: nanoseconds(check.timeout) }),
    ...(check.start_period === undefined ? {} : { StartPeriod: nanoseconds(check.start_period) }),
    ...(check.start_interval === undefined ? {} : { StartInterval: nanoseconds(check.start_interval) }),
    ...(check.retries === undefined ? {} : { Retries: check.retries }),
  }
}

function privilegeOptions(spec: Spec): WireHostConfig {
  return {
    Privileged: spec.privileged,
    ReadonlyRootfs: spec.read_only,
    CapAdd: spec.cap_add,
    CapDrop: spec.cap_drop,
    SecurityOpt: spec.security_opt,
    GroupAdd: spec.group_add,
    Devices: spec.devices.map((device) => ({
      PathOnHost: device.source,
      PathInContainer: device.target,
      CgroupPermissions: device.permissions,
    })),
    DeviceCgroupRules: spec.device_cgroup_rules,
    Sysctls: spec.sysctls,
    ...(Object.keys(spec.annotations).length === 0 ? {} : { Annotations: spec.annotations }),
    ...(spec.gpus === undefined
      ? {}
      : {
          DeviceRequests: spec.gpus.map((gpu) => ({
            Driver: gpu.driver ?? '',
            Count: gpu.count ?? 0,
            DeviceIDs: gpu.device_ids ?? [],
            Capabilities: gpu.capabilities,
            Options: gpu.options ?? {},
          })),
        }),
    ...(spec.uts === undefined ? {} : { UTSMode: spec.uts }),
    ...(spec.userns_mode === undefined ? {} : { UsernsMode: spec.userns_mode }),
    ...(spec.cgroup === undefined ? {} : { CgroupnsMode: spec.cgroup }),
    ...(spec.cgroup_parent === undefined ? {} : { CgroupParent: spec.cgroup_parent }),
    ...(spec.runtime === undefined ? {} : { Runtime: spec.runtime }),
  }
}
