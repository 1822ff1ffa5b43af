import { command } from '../lib/cli/command.ts'
import { apply } from '../lib/flows/apply.ts'

await command({
  name: 'apply',
  summary:
    'Brings the services to what the profile declares, and leaves serving with the generations it has.',
  description:
    'Renders every service into config/staging/, compares it by content with what runs, and changes those that differ,\n' +
    'one after the other. Services that the profile does not declare are listed and left alone.',
  positionals: { max: 0, names: [] },
  flags: {
    undo: { type: 'boolean', description: 'make the services again what they were before the last apply' },
  },
  examples: [
    ['npx zx scripts/apply.mjs --dry-run', 'shows what differs, key by key'],
    ['npx zx scripts/apply.mjs --undo', 'goes back to the services as they were'],
  ],
  run: (context, { flags: { undo } }) => apply(context, { undo }),
})
