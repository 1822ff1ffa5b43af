import { z } from 'zod'

const UNITS: Readonly<Record<string, number>> = { '': 1, K: 1e3, M: 1e6, G: 1e9 }

const rate = z
  .string()
  .regex(/^[1-9]\d*[KMG]?$/, 'expected bytes a second, with or without K, M or G: 50M')
  .transform((text) => Number.parseInt(text, 10) * UNITS[text.replace(/\d+/, '')]!)
  .optional()

const time = z.string().regex(/^([01]\d|2[0-3]):[0-5]\d$/, 'expected a time of day, quoted: "22:00"')

const limits = { perNode: rate, total: rate }

/** How generations travel to nodes. */
export const deliverySchema = z
  .strictObject({
    scope: z.enum(['broadcast', 'targeted']).default('broadcast'),
    copies: z.int().min(2).default(2),
    via: z.enum(['auto', 'relay', 'direct']).default('auto'),
    pieceKilobytes: z.int().min(16).max(8192).default(256),
    relayPort: z.int().min(0).max(65535).default(0),
    delta: z.boolean().default(true),
    stallSeconds: z.number().positive().default(30),
    limits: z
      .strictObject({
        ...limits,
        night: z
          .strictObject({ from: time.default('22:00'), to: time.default('06:00'), ...limits })
          .prefault({}),
      })
      .prefault({}),
  })
  .prefault({})
