import { randomUUID } from 'node:crypto'
import { chmod, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { MetricsFiles } from '../../ports/metrics-files.ts'
import { hasCode } from './durable-files.ts'

/** The collector is another user. */
const READABLE = 0o644

/** Files in a directory that the collector of node_exporter reads, which passes over those that do not end in `.prom`. */
export function createMetricsFiles(directory: string): MetricsFiles {
  return {
    async read(name) {
      return await readFile(join(directory, name), 'utf8').catch((error: unknown) => {
        if (hasCode(error, 'ENOENT')) return null
        throw error
      })
    },
    async write(name, text) {
      const beside = join(directory, `.${name}.${randomUUID()}`)
      try {
        await writeFile(beside, text)
        await chmod(beside, READABLE)
        await rename(beside, join(directory, name))
      } finally {
        await rm(beside, { force: true })
      }
    },
  }
}
