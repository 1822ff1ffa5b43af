import { z } from 'zod'

/** Where splits and migrations are logged as runs. */
export const mlflowSchema = z
  .strictObject({
    url: z
      .string()
      .regex(/^https?:\/\/[^\s]+$/, 'expected http://HOST:PORT')
      .nullable()
      .default(null),
    // MLflow's filters know no way to quote what quotes a name.
    experiment: z
      .string()
      .regex(/^[^'"]{1,200}$/, 'expected a name without quotes')
      .default('longshore'),
    tokenVariable: z.string().min(1).optional(),
  })
  .prefault({})
