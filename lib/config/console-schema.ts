import { z } from 'zod'
import type { Problem } from './swarm-schema.ts'

const LOOPBACK: readonly string[] = ['127.0.0.1', '::1', 'localhost']

/** The web page that gateways serve. */
export const consoleSchema = z
  .strictObject({
    enabled: z.union([z.boolean(), z.literal('auto')]).default('auto'),
    tokenFile: z.string().min(1).optional(),
    tokenDigest: z
      .string()
      .regex(/^[0-9a-f]{64}$/, 'expected the 64 hexadecimal digits of a SHA-256')
      .optional(),
  })
  .prefault({})

type Declared = {
  readonly engine: 'local' | 'swarm'
  readonly gateway: { readonly host: string; readonly console: z.output<typeof consoleSchema> }
}

/** Whether gateways serve the console: unless told otherwise, only where nobody else can reach it. */
export function hasConsole(declared: Declared): boolean {
  const { enabled } = declared.gateway.console
  return enabled === 'auto' ? isPrivate(declared) : enabled
}

/** What is wrong with a console that others could reach. */
export function findConsoleProblems(declared: Declared): Problem[] {
  const { tokenFile, tokenDigest } = declared.gateway.console
  if (!hasConsole(declared) || isPrivate(declared) || tokenFile !== undefined || tokenDigest !== undefined)
    return []
  const message = 'missing; expected the file of a token, for others can reach this console'
  return [{ path: ['gateway', 'console', 'tokenFile'], message }]
}

function isPrivate({ engine, gateway }: Declared): boolean {
  return engine === 'local' && LOOPBACK.includes(gateway.host)
}
