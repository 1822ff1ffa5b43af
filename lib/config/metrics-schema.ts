import { z } from 'zod'

/** Where commands leave how they ended. */
export const metricsSchema = z
  .strictObject({ textfile: z.string().min(1).nullable().default(null) })
  .prefault({})
