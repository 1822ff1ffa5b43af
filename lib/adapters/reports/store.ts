import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type MigrationReport, REPORT_FORMAT } from '../../domain/migration-report.ts'
import type { Reports } from '../../ports/reports.ts'
import { hasCode, writeDurably } from '../files/durable-files.ts'
import { explainDiskError } from '../generations/disk-error.ts'
import { renderPage } from './page.ts'

/** Keeps `dg_N.json` and `dg_N.html` in one directory. */
export function createReports(directory: string): Reports {
  const locate = (generation: string, kind: 'json' | 'html') => join(directory, `${generation}.${kind}`)
  return {
    read: (generation) => readReport(locate(generation, 'json')),
    async write(report) {
      const { generation } = report.after
      const paths = { json: locate(generation, 'json'), html: locate(generation, 'html') }
      try {
        await writeDurably(paths.html, renderPage(report))
        await writeDurably(paths.json, `${JSON.stringify(report, null, 2)}\n`)
      } catch (error) {
        throw explainDiskError(error)
      }
      return paths
    },
  }
}

async function readReport(path: string): Promise<MigrationReport | undefined> {
  try {
    const report = JSON.parse(await readFile(path, 'utf8')) as MigrationReport | null
    return report?.format === REPORT_FORMAT ? report : undefined
  } catch (error) {
    if (hasCode(error, 'ENOENT') || error instanceof SyntaxError) return undefined
    throw error
  }
}
