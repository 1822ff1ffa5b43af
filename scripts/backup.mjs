import { command } from '../lib/cli/command.ts'
import { backup } from '../lib/flows/backup.ts'

await command({
  name: 'backup',
  summary: 'Writes a generation with its items into one file, and reads it back.',
  description: 'Without dg_N: the newest one. Plain tar: NumPy and jq read what tar takes out of it.',
  positionals: { max: 1, names: ['dg_N'] },
  flags: {
    to: { type: 'string', value: 'FILE', description: 'the file to write (default: dg_N.tar)' },
  },
  examples: [['npx zx scripts/backup.mjs dg_8 --to /backup/dg_8.tar', 'keeps dg_8 elsewhere']],
  run: (context, { positionals: [generation], flags: { to } }) => backup(context, { generation, to }),
})
