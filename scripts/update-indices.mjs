import { command } from '../lib/cli/command.ts'
import { WAIT_FLAG, withWait } from '../lib/cli/wait-flag.ts'
import { update } from '../lib/flows/update.ts'

await command({
  name: 'update-indices',
  summary:
    'Makes the fleet serve a generation (default: the newest), and goes back by itself when it is bad.',
  positionals: { max: 1, names: ['dg_N'] },
  flags: {
    force: { type: 'boolean', description: 'serve it even if it is quarantined or frozen' },
    wait: WAIT_FLAG,
  },
  examples: [
    ['npx zx scripts/update-indices.mjs --dry-run', 'shows what an update to the newest generation would do'],
    ['npx zx scripts/update-indices.mjs dg_8', 'serves dg_8'],
    ['npx zx scripts/update-indices.mjs --yes --quiet --wait 1800', 'for cron: config/crontab.example'],
  ],
  run: (context, { positionals: [generation], flags: { force, wait } }) =>
    update(withWait(context, wait), { generation, force }),
})
