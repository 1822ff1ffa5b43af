import { z } from 'zod'
import { webAddress } from './web-address.ts'

/** Where services send traces of queries. */
export const tracesSchema = z
  .strictObject({
    url: webAddress.nullable().default(null),
    share: z.number().min(0).max(1).default(0.01),
  })
  .prefault({})
