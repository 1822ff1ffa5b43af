import { compareSpaces } from '../domain/compare-spaces.ts'
import type { Comparison } from '../domain/comparison.ts'
import { LongshoreError } from '../domain/errors.ts'
import { countItems, type Manifest } from '../domain/manifest.ts'
import {
  type MigrationReport,
  REPORT_FORMAT,
  type ReportedGeneration,
  type ReportedWork,
} from '../domain/migration-report.ts'
import type { GateResult } from '../domain/quality.ts'
import type { Sample } from '../domain/sample-scores.ts'
import type { ReportPaths } from '../ports/reports.ts'
import type { Context } from './context.ts'
import type { Evidence } from './remake.ts'

type Findings = { readonly gates: readonly GateResult[]; readonly comparison?: Comparison }

/** Writes what became of a generation under another model. Raises `remote` when the disk is full. */
export async function writeReport(
  context: Context,
  evidence: Evidence,
  findings: Findings,
): Promise<ReportPaths> {
  const { before, after, sample, threshold } = evidence
  const known = await findKnown(context, evidence)
  const { gates, comparison } = findings.comparison || !known ? findings : known
  const report: MigrationReport = {
    format: REPORT_FORMAT,
    createdAt: new Date(context.now()).toISOString(),
    before: describeGeneration(before),
    after: describeGeneration(after),
    work: evidence.counts.calls === 0 && known ? known.work : describeWork(evidence),
    rejects: await readRejects(context, after),
    spaces: known?.spaces ?? compareSpaces(sample.names, ...spacesOf(evidence)),
    ...(threshold && { threshold }),
    ...(comparison && { comparison }),
    gates,
  }
  return await context.reports.write(report)
}

/** Where a report is, for people. */
export function describeReport({ html, json }: ReportPaths): string {
  return `report: ${html} and ${json}`
}

function spacesOf({ before, after, sample }: Evidence): [Sample, Sample] {
  return [
    { rows: sample.before, model: before.model },
    { rows: sample.after, model: after.model },
  ]
}

function describeGeneration(manifest: Manifest): ReportedGeneration {
  const { generation, digest, model } = manifest
  return { generation, digest, model, items: countItems(manifest) }
}

/** What a run before told of the same two generations: one that embeds nothing or asks nothing leaves the word to it. */
async function findKnown(
  { reports }: Context,
  { before, after }: Evidence,
): Promise<MigrationReport | undefined> {
  const known = await reports.read(after.generation)
  const isSame = known?.before.digest === before.digest && known.after.digest === after.digest
  return isSame ? known : undefined
}

function describeWork({ counts, device, rate }: Evidence): ReportedWork {
  const { items, calls, tokens, retries, tookMs } = counts
  return { device, items, calls, tokens, retries, tookMs, rate }
}

const MOST_LISTED = 100

/** The list of rejects beside a generation, which is there where its gate counted any and nobody removed it. */
async function readRejects(
  { generations, inputs }: Context,
  manifest: Manifest,
): Promise<MigrationReport['rejects']> {
  const { generation, quality } = manifest
  const share = quality.rejects ?? 0
  if (share === 0) return { count: 0, listed: [] }
  const text = await inputs.readText(`${generations.locate(generation)}.rejects.jsonl`).catch(unlessMissing)
  const lines = text.split('\n').filter((line) => line !== '')
  const listed = lines.slice(0, MOST_LISTED).map((line) => {
    const { row, reason } = JSON.parse(line) as { readonly row: string | number; readonly reason: string }
    return { item: String(row), reason }
  })
  return { count: Math.round((share * countItems(manifest)) / (1 - share)), listed }
}

function unlessMissing(error: unknown): string {
  if (error instanceof LongshoreError && error.kind === 'usage') return ''
  throw error
}
