import { z } from 'zod'

const count = z.int().min(1)

/** How new items come in. */
export const ingestSchema = z
  .strictObject({
    queueItems: count.default(20_000),
    holdSeconds: z.number().min(1).default(60),
    nearDuplicates: z.number().default(0.98),
    urls: z
      .strictObject({
        megabytes: z.number().positive().default(20),
        seconds: z.number().positive().default(20),
        redirects: z.int().min(0).max(20).default(3),
      })
      .prefault({}),
  })
  .prefault({})
