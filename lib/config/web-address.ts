import { z } from 'zod'

/** The address of a server, path and all. */
export const webAddress = z.string().regex(/^https?:\/\/[^\s]+$/, 'expected http://HOST:PORT')
