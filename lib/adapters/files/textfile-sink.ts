import { randomUUID } from 'node:crypto'
import { chmod, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { nameRunFile, renderRunMetrics } from '../../domain/run-metrics.ts'
import type { RunSink } from '../../ports/run-sink.ts'
import { hasCode } from './durable-files.ts'

/** The collector is another user. */
const READABLE = 0o644

/** A file for each command in a directory that the collector of node_exporter reads, which passes over those that do not end in `.prom`. */
export function createTextfileSink(directory: string): RunSink {
  return {
    key: 'metrics.textfile',
    async take(facts) {
      const path = join(directory, nameRunFile(facts))
      const beside = join(directory, `.${nameRunFile(facts)}.${randomUUID()}`)
      const former = await readFile(path, 'utf8').catch((error: unknown) => {
        if (hasCode(error, 'ENOENT')) return null
        throw error
      })
      try {
        await writeFile(beside, renderRunMetrics(facts, former))
        await chmod(beside, READABLE)
        await rename(beside, path)
      } finally {
        await rm(beside, { force: true })
      }
    },
  }
}
