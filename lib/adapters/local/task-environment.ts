import { join } from 'node:path'
import type { ServiceSpec } from '../../domain/service.ts'
import { locateEndpoints } from './agent-protocol.ts'
import { locateNode } from './node-directory.ts'

export type Placement = { readonly id: string; readonly node: string; readonly state: string }

/** The environment that configures a task; `ADMIN` asks it for a port of its own beside the one that tasks share. */
export function createEnvironment(spec: ServiceSpec, { id, node, state }: Placement): Record<string, string> {
  return {
    HOST: '127.0.0.1',
    ...spec.settings,
    PORT: String(spec.port ?? 0),
    ADMIN: '1',
    NODE_NAME: node,
    TASK_ID: id,
    DATA_DIR: locateNode(state, node),
    // What Node.js compiles is kept for the next task, whose start then costs half.
    NODE_COMPILE_CACHE: join(state, 'compiled'),
    ENDPOINTS_FILE: locateEndpoints(state),
    GENERATIONS: spec.generations.map(({ name, digest }) => `${name}@${digest}`).join(','),
    ...(spec.cluster !== undefined && { CLUSTER: String(spec.cluster) }),
  }
}

/** The address at which clients of this machine reach what listens on `host`. */
export function createUrl(host: string, port: number): string {
  const reachable = host === '0.0.0.0' || host === '::' ? '127.0.0.1' : host
  return `http://${reachable.includes(':') ? `[${reachable}]` : reachable}:${port}`
}
