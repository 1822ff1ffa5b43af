import { z } from 'zod'
import { SERVICE_KINDS } from '../domain/service.ts'

const seconds = z.number().positive()
const count = z.int().min(1)

const amounts = z.strictObject({
  cpus: z
    .string()
    .regex(/^\d+(\.\d+)?$/, 'expected a number of processors, quoted: "0.5"')
    .optional(),
  memory: z
    .string()
    .regex(/^\d+[bkmg]$/i, 'expected a whole number with its unit: 512M')
    .optional(),
})

/** How nodes are reached. */
export const sshSchema = z
  .strictObject({
    identityFile: z.string().min(1).optional(),
    knownHostsFile: z.string().min(1).default('~/.ssh/known_hosts'),
    connectSeconds: seconds.default(15),
    keepAliveSeconds: seconds.default(10),
    operationSeconds: seconds.default(60),
    maxStarting: count.default(8),
    maxChannels: count.max(10).default(8),
  })
  .prefault({})

/** How services run in a Swarm. */
export const swarmSchema = z
  .strictObject({
    managers: z.array(z.string()).min(1).optional(),
    image: z.string().min(1).optional(),
    dataDirectory: z
      .string()
      .regex(
        /^(\/[A-Za-z0-9._-]+)+$/,
        'expected an absolute path of letters, digits, dots, dashes and underscores',
      )
      .default('/var/lib/longshore'),
    publish: z.enum(['ingress', 'host']).default('ingress'),
    healthSeconds: seconds.default(1),
    lameDuckSeconds: z.number().min(0).default(2),
    graceSeconds: seconds.default(12),
    monitorSeconds: seconds.default(5),
    resources: z
      .partialRecord(
        z.enum(SERVICE_KINDS),
        z.strictObject({ limits: amounts.optional(), reservations: amounts.optional() }),
      )
      .default({}),
  })
  .refine(({ graceSeconds, lameDuckSeconds }) => graceSeconds > lameDuckSeconds + 1, {
    path: ['graceSeconds'],
    message: 'expected more than lameDuckSeconds and one second, for what is in flight',
  })
  .prefault({})

type Declared = {
  readonly engine: 'local' | 'swarm'
  readonly nodes: readonly { readonly name: string; readonly host?: string | undefined }[]
  readonly swarm: z.output<typeof swarmSchema>
}

/** What is wrong with a key that has the right form. */
export type Problem = { readonly path: (string | number)[]; readonly message: string }

/** What the engine `swarm` needs beyond the form: an address of each node, and managers among the nodes. */
export function findSwarmProblems({ engine, nodes, swarm }: Declared): Problem[] {
  if (engine !== 'swarm') return []
  const names = nodes.map(({ name }) => name)
  const problems = [...nodes.keys()]
    .filter((at) => nodes[at]?.host === undefined)
    .map(
      (at): Problem => ({
        path: ['nodes', at, 'host'],
        message: 'missing; expected the address of its sshd',
      }),
    )
  if (!swarm.managers) {
    problems.push({
      path: ['swarm', 'managers'],
      message: 'missing; expected the names of nodes that are managers',
    })
  }
  for (const manager of (swarm.managers ?? []).filter((one) => !names.includes(one))) {
    const message = `${manager} is not among the nodes; expected some of ${names.join(', ')}`
    problems.push({ path: ['swarm', 'managers'], message })
  }
  return problems
}
