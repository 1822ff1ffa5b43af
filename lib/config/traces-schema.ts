import { z } from 'zod'

/** Where services send traces of queries. */
export const tracesSchema = z
  .strictObject({
    url: z
      .string()
      .regex(/^https?:\/\/[^\s]+$/, 'expected http://HOST:PORT')
      .nullable()
      .default(null),
    share: z.number().min(0).max(1).default(0.01),
  })
  .prefault({})
