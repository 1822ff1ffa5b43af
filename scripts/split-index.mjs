import { keepCompiled } from '../lib/cli/compile-cache.mjs'

keepCompiled()
const { command } = await import('../lib/cli/command.ts')
const { withReport } = await import('../lib/cli/report.ts')
const { split } = await import('../lib/flows/split.ts')

await command({
  name: 'split-index',
  summary: 'Makes a generation of embedding files, and gates it.',
  description:
    'Reads the raw files or the split output of the reference system, .npy with items.jsonl, Parquet, and JSONL.',
  positionals: { min: 1, max: 1, names: ['input'] },
  flags: {
    generation: {
      type: 'string',
      value: 'dg_N',
      description: 'the generation to make (default: the next one)',
    },
    repair: {
      type: 'string',
      value: 'centroids',
      description: "recompute the centroids of the input's clusters from their rows",
    },
    report: {
      type: 'string',
      value: 'FILE',
      description: 'write the gates as JSON to a file, also when one refuses',
    },
  },
  examples: [['npx zx scripts/split-index.mjs data/sample/questions-v1.jsonl', 'makes dg_1']],
  run: (context, { positionals: [path = ''], flags: { generation, repair, report } }) =>
    withReport(report, () => split(context, { path, generation, repair })),
})
