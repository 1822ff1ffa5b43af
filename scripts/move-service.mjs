#!/usr/bin/env zx
import { command } from '../lib/cli/command.ts'
import { runMoveCommand } from '../lib/flows/move-command.ts'

await command({
  name: 'move-service',
  summary: 'Moves a service from one model server to another while clients go on asking.',
  description:
    'NAME is one of `moves` in the profile; it may be left out where there is only one. Clients ask the router, which\n' +
    'gives the target its share step by step, and all back to the source at the first failure.',
  positionals: { max: 1, names: ['NAME'] },
  flags: {
    undo: { type: 'boolean', description: 'give all requests back to the source, and drop the target' },
    finish: { type: 'boolean', description: 'once the target has all requests, delete the former service' },
    'start-router': {
      type: 'boolean',
      description: 'start the router of this machine, which outlives the command',
    },
    'stop-router': { type: 'boolean', description: 'stop it; its routes are kept' },
  },
  examples: [
    ['npx zx scripts/move-service.mjs --start-router', 'what clients ask from now on'],
    ['npx zx scripts/move-service.mjs faces --dry-run', 'shows what would be done, and why'],
    ['npx zx scripts/move-service.mjs faces', 'moves it, and keeps the former one'],
    ['npx zx scripts/move-service.mjs faces --finish', 'deletes the former one'],
  ],
  run: (context, { positionals, flags }) => runMoveCommand(context, positionals, flags),
})
