// The Docker Engine's JSON as far as graft reads and writes it (Engine API 1.41 to 1.51). Every key may be absent or
// null, because engines differ; nothing outside this room knows these shapes.

export interface WireEndpoint {
  IPAMConfig?: { IPv4Address?: string; IPv6Address?: string; LinkLocalIPs?: string[] | null } | null
  Aliases?: string[] | null
  NetworkID?: string
  EndpointID?: string
  IPAddress?: string
  GlobalIPv6Address?: string
  MacAddress?: string
}

export interface WireHealthcheck {
  Test?: string[] | null
  /** Nanoseconds, as all durations here. */
  Interval?: number
  Timeout?: number
  StartPeriod?: number
  StartInterval?: number
  Retries?: number
}

export interface WireMount {
  Type: string
  Source?: string
  Target: string
  ReadOnly?: boolean
  BindOptions?: { Propagation?: string } | null
  VolumeOptions?: { NoCopy?: boolean; Subpath?: string } | null
  TmpfsOptions?: { SizeBytes?: number; Mode?: number } | null
}

export interface WireConfig {
  Hostname?: string
  Domainname?: string
  User?: string
  Tty?: boolean
  OpenStdin?: boolean
  Env?: string[] | null
  Cmd?: string[] | null
  Entrypoint?: string[] | null
  Image?: string
  Labels?: Record<string, string> | null
  ExposedPorts?: Record<string, object> | null
  Volumes?: Record<string, object> | null
  WorkingDir?: string
  MacAddress?: string
  StopSignal?: string
  StopTimeout?: number | null
  Healthcheck?: WireHealthcheck | null
}

export interface WireHostConfig {
  Binds?: string[] | null
  Mounts?: WireMount[] | null
  Tmpfs?: Record<string, string> | null
  LogConfig?: { Type?: string; Config?: Record<string, string> | null }
  NetworkMode?: string
  PortBindings?: Record<string, { HostIp?: string; HostPort?: string }[] | null> | null
  RestartPolicy?: { Name?: string; MaximumRetryCount?: number }
  CapAdd?: string[] | null
  CapDrop?: string[] | null
  Dns?: string[] | null
  DnsOptions?: string[] | null
  DnsSearch?: string[] | null
  ExtraHosts?: string[] | null
  GroupAdd?: string[] | null
  IpcMode?: string
  PidMode?: string
  UTSMode?: string
  UsernsMode?: string
  CgroupnsMode?: string
  CgroupParent?: string
  Privileged?: boolean
  ReadonlyRootfs?: boolean
  SecurityOpt?: string[] | null
  Sysctls?: Record<string, string> | null
  Runtime?: string
  Annotations?: Record<string, string> | null
  Init?: boolean | null
  ShmSize?: number
  Memory?: number
  MemoryReservation?: number
  MemorySwap?: number
  NanoCpus?: number
  CpuShares?: number
  CpuPeriod?: number
  CpuQuota?: number
  CpusetCpus?: string
  PidsLimit?: number | null
  OomScoreAdj?: number
  OomKillDisable?: boolean | null
  Ulimits?: { Name: string; Soft: number; Hard: number }[] | null
  Devices?: { PathOnHost: string; PathInContainer: string; CgroupPermissions: string }[] | null
  DeviceCgroupRules?: string[] | null
  DeviceRequests?: WireDeviceRequest[] | null
}

export interface WireDeviceRequest {
  Driver?: string
  Count?: number
  DeviceIDs?: string[] | null
  Capabilities?: string[][] | null
  Options?: Record<string, string> | null
}

/** GET /containers/ID/json. */
export interface WireContainer {
  Id: string
  Name: string
  Created: string
  Image: string
  RestartCount?: number
  State: {
    Status: string
    Pid?: number
    ExitCode?: number
    OOMKilled?: boolean
    Error?: string
    StartedAt?: string
    FinishedAt?: string
    Health?: { Status?: string } | null
  }
  Config: WireConfig
  HostConfig: WireHostConfig
  NetworkSettings?: { Networks?: Record<string, WireEndpoint> | null }
  /** What is mounted, asked for or not. */
  Mounts?: { Type?: string; Name?: string; Destination?: string; RW?: boolean }[] | null
}

/** A row of GET /containers/json. */
export interface WireContainerRow {
  Id: string
  Names?: string[] | null
  Image?: string
  ImageID?: string
  State?: string
  /** `Up 5 minutes (healthy)`. */
  Status?: string
  Labels?: Record<string, string> | null
  Ports?: { IP?: string; PublicPort?: number; Type?: string }[] | null
  NetworkSettings?: { Networks?: Record<string, WireEndpoint> | null } | null
}

export interface WireNetwork {
  Id: string
  Name: string
  Driver?: string
  Internal?: boolean
  Attachable?: boolean
  EnableIPv6?: boolean
  Options?: Record<string, string> | null
  Labels?: Record<string, string> | null
  IPAM?: {
    Driver?: string
    Options?: Record<string, string> | null
    Config?:
      | { Subnet?: string; Gateway?: string; IPRange?: string; AuxiliaryAddresses?: Record<string, string> }[]
      | null
  }
  Containers?: Record<string, object> | null
}

export interface WireVolume {
  Name: string
  Driver?: string
  Options?: Record<string, string> | null
  Labels?: Record<string, string> | null
}
