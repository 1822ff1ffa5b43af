import { compareSpaces } from '../../lib/domain/compare-spaces.ts'
import { type MigrationReport, REPORT_FORMAT } from '../../lib/domain/migration-report.ts'
import { createRandom } from '../../lib/domain/random.ts'
import { makeModel } from './generation.ts'

/** A report of items with these names and random embeddings. */
export function makeMigrationReport(
  names: readonly string[],
  overrides: Partial<MigrationReport> = {},
): MigrationReport {
  const random = createRandom(names.length)
  const makeSample = (dimensions: number) => ({
    rows: Float32Array.from({ length: names.length * dimensions }, () => random() - 0.5),
    model: makeModel(dimensions),
  })
  const [before, after] = [makeSample(4), makeSample(6)]
  const around = (mean: number) => ({ mean, low: mean - 0.1, high: mean + 0.1 })
  const quality = (mean: number) => ({ recall: around(mean), ndcg: around(mean), mrr: around(mean) })
  return {
    format: REPORT_FORMAT,
    createdAt: '2026-01-01T00:00:00.000Z',
    before: { generation: 'dg_1', digest: `sha256:${'a'.repeat(64)}`, model: before.model, items: 40 },
    after: { generation: 'dg_2', digest: `sha256:${'b'.repeat(64)}`, model: after.model, items: 40 },
    work: {
      ...{ device: 'gpu', items: 40, calls: 5, tokens: 300, retries: 1, tookMs: 2000 },
      rate: [
        { ms: 500, items: 8 },
        { ms: 2000, items: 40 },
      ],
    },
    rejects: { count: 0, listed: [] },
    spaces: compareSpaces(names, before, after),
    threshold: { before: { score: 0.7, falseMatches: 0.01 }, after: { score: 0.4321, falseMatches: 0.0095 } },
    comparison: {
      judged: 30,
      quality: { before: quality(0.5), after: quality(0.625) },
      kept: { before: { precision: 0.5, recall: 0.8 }, after: { precision: 0.75, recall: 0.7 } },
      drift: { queries: 20, overlap: 0.5, rbo: 0.6, tau: 0.7 },
    },
    gates: [
      { name: 'modelLoss', measured: 0, limit: '<= 0.02', passed: true, detail: 'recall@10 of 30 queries' },
    ],
    ...overrides,
  }
}
