import { messageOf } from './errors.ts'

/** What the Docker of one machine of the profile says of itself. */
export type EngineReport = {
  readonly name: string
  /** Whom we logged in as. */
  readonly user: string
  readonly docker: Docker | { readonly problem: string }
}

export type Docker = {
  readonly version: string
  /** The newest that both the engine and the command there speak, for example `1.41`. */
  readonly apiVersion: string
  /** `amd64`, `arm64` */
  readonly architecture: string
  /** Null where the engine says nothing of a Swarm. */
  readonly swarm: {
    readonly nodeId: string
    /** `active`, `inactive`, `pending`, `locked`, `error` */
    readonly state: string
    readonly isManager: boolean
  } | null
}

/** What a command printed, and how it ended. */
export type Output = { readonly code: number; readonly stdout: string; readonly stderr: string }

/** Reads what `docker version` and `docker info` print as JSON. */
export function parseDocker(version: Output, info: Output): EngineReport['docker'] {
  if (version.code !== 0) return { problem: describe(version) }
  if (info.code !== 0) return { problem: describe(info) }
  try {
    const { Client, Server } = JSON.parse(version.stdout) as RawVersion
    const { Swarm } = JSON.parse(info.stdout) as RawInfo
    if (!Server) return { problem: describe(version) }
    return {
      version: Server.Version,
      apiVersion: [Server.ApiVersion, Client?.ApiVersion ?? Server.ApiVersion].toSorted(compareVersions)[0]!,
      architecture: Server.Arch,
      swarm: Swarm
        ? { nodeId: Swarm.NodeID, state: Swarm.LocalNodeState, isManager: Swarm.ControlAvailable }
        : null,
    }
  } catch (error) {
    return { problem: `docker version and docker info printed no JSON (${messageOf(error)})` }
  }
}

/** Orders `1.9` before `1.41`. */
export function compareVersions(a: string, b: string): number {
  return a.localeCompare(b, 'en', { numeric: true })
}

type RawVersion = {
  readonly Client?: { readonly ApiVersion: string }
  readonly Server: { readonly Version: string; readonly ApiVersion: string; readonly Arch: string } | null
}
type RawInfo = {
  readonly Swarm?: {
    readonly NodeID: string
    readonly LocalNodeState: string
    readonly ControlAvailable: boolean
  }
}

function describe({ code, stderr }: Output): string {
  return stderr.trim().split('\n').at(-1) || `docker ended with exit code ${code}`
}
