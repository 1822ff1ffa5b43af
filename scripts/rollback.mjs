import { keepCompiled } from '../lib/cli/compile-cache.mjs'

// Whoever goes back is in a hurry: all that follows is loaded only now, so that it is kept compiled.
keepCompiled()
const { command } = await import('../lib/cli/command.ts')

await command({
  name: 'rollback',
  summary: 'Makes the fleet serve an earlier release again, and freezes the one it leaves.',
  positionals: { max: 0, names: [] },
  flags: {
    to: { type: 'string', value: 'dg_N', description: 'the release to go to (default: the one before)' },
    force: { type: 'boolean', description: 'go there even if it is quarantined' },
  },
  examples: [['npx zx scripts/rollback.mjs --to dg_7', 'serves dg_7 again']],
  run: async (context, { flags: { to, force } }) => {
    const { rollback } = await import('../lib/flows/rollback.ts')
    return await rollback(context, { to, force })
  },
})
