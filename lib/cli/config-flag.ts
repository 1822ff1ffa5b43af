import { LongshoreError } from '../domain/errors.ts'

/** What `migrate --config` cannot go with: it moves another fleet's gallery, which nothing here was made before. */
const ALONE = ['bridge', 'estimate', 'backup', 'no-backup', 'qrels', 'queries'] as const

/** Raises `usage` for flags that have no meaning beside `--config`. */
export function refuseBesideConfig(flags: Readonly<Record<string, unknown>>): void {
  const found = ALONE.find((name) => flags[name] !== undefined && flags[name] !== false)
  if (found === undefined) return
  throw new LongshoreError('usage', `--${found} does not go with --config`, {
    hint: 'back up and compare in the fleet that the gallery comes from',
  })
}
