import { keepCompiled } from '../lib/cli/compile-cache.mjs'

keepCompiled()
const { command } = await import('../lib/cli/command.ts')
const { chooseDevice, EMBED_FLAGS } = await import('../lib/cli/embed-flags.ts')
const { migrate } = await import('../lib/flows/migrate.ts')

await command({
  name: 'migrate',
  summary: 'Moves the fleet to another model: backup, re-embed, gate between the models, update, verify.',
  description:
    'Search goes on under the former model until the switch. After any failure the same command goes on.',
  positionals: { max: 0, names: [] },
  flags: {
    ...EMBED_FLAGS,
    from: {
      type: 'string',
      value: 'dg_N',
      description: 'the generation to move (default: the newest under another model)',
    },
    estimate: {
      type: 'boolean',
      description: 'only tell what it would take, from a sample that is embedded',
    },
    backup: {
      type: 'string',
      value: 'DIRECTORY',
      description: "where the former generation is kept (default: backups in the profile's state)",
    },
    'no-backup': { type: 'boolean', description: 'keep no backup' },
    qrels: { type: 'string', value: 'FILE', description: 'relevance judgements: query 0 item grade' },
    queries: { type: 'string', value: 'FILE', description: 'their queries: {"id", "text"} a line' },
  },
  examples: [
    ['npx zx scripts/migrate.mjs --model mini-text --estimate', 'tells time, disk and cost'],
    ['npx zx scripts/migrate.mjs --model mini-text --yes', 'serves the newest generation under mini-text'],
  ],
  run: (context, { flags: { device, backup, 'no-backup': noBackup, 'retry-dead': retryDead, ...flags } }) =>
    migrate(context, {
      ...flags,
      ...{ device: chooseDevice(device), backup: noBackup ? false : backup, retryDead },
    }),
})
