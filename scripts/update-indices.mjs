import { command } from '../lib/cli/command.ts'
import { update } from '../lib/flows/update.ts'

await command({
  name: 'update-indices',
  summary:
    'Makes the fleet serve a generation (default: the newest), and goes back by itself when it is bad.',
  positionals: { max: 1, names: ['dg_N'] },
  flags: { force: { type: 'boolean', description: 'serve it even if it is quarantined or frozen' } },
  examples: [
    ['npx zx scripts/update-indices.mjs --dry-run', 'shows what an update to the newest generation would do'],
    ['npx zx scripts/update-indices.mjs dg_8', 'serves dg_8'],
  ],
  run: (context, { positionals: [generation], flags: { force } }) => update(context, { generation, force }),
})
