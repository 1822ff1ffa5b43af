import type { MigrationReport } from '../domain/migration-report.ts'

/** Where a report was written to. */
export type ReportPaths = { readonly json: string; readonly html: string }

/** Keeps reports of migrations on the operator's machine, one for each generation that was made. */
export interface Reports {
  /** The report of a generation; undefined without one, and for a file that cannot be understood. */
  read(generation: string): Promise<MigrationReport | undefined>
  /** Replaces the report of the generation that was made. Raises `remote` when the disk is full. */
  write(report: MigrationReport): Promise<ReportPaths>
}
