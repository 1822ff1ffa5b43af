import { z } from 'zod'
import { webAddress } from './web-address.ts'

/** Where splits and migrations are logged as runs. */
export const mlflowSchema = z
  .strictObject({
    url: webAddress.nullable().default(null),
    // MLflow's filters know no way to quote what quotes a name.
    experiment: z
      .string()
      .regex(/^[^'"]{1,200}$/, 'expected a name without quotes')
      .default('longshore'),
    tokenVariable: z.string().min(1).optional(),
  })
  .prefault({})
