import { command } from '../lib/cli/command.ts'
import { rollback } from '../lib/flows/rollback.ts'

await command({
  name: 'rollback',
  summary: 'Makes the fleet serve an earlier release again, and freezes the one it leaves.',
  positionals: { max: 0, names: [] },
  flags: {
    to: { type: 'string', value: 'dg_N', description: 'the release to go to (default: the one before)' },
    force: { type: 'boolean', description: 'go there even if it is quarantined' },
  },
  examples: [['npx zx scripts/rollback.mjs --to dg_7', 'serves dg_7 again']],
  run: (context, { flags: { to, force } }) => rollback(context, { to, force }),
})
