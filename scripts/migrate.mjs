import { keepCompiled } from '../lib/cli/compile-cache.mjs'

keepCompiled()
const { command } = await import('../lib/cli/command.ts')
const { chooseDevice, EMBED_FLAGS } = await import('../lib/cli/embed-flags.ts')
const { refuseBesideConfig } = await import('../lib/cli/config-flag.ts')
const { migrate } = await import('../lib/flows/migrate.ts')
const { migrateShards } = await import('../lib/flows/migrate-shards.ts')

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
      description:
        'the generation to move (default: the newest under another model that did not fail and was not gone back from)',
    },
    config: {
      type: 'string',
      value: 'FILE',
      description:
        "move another fleet's gallery here: storage-api-from and storage-api-to, as FindFace has them",
    },
    bridge: {
      type: 'boolean',
      description: 'let queries of the new model search the former generation while items are embedded',
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
    [
      'npx zx scripts/migrate.mjs --model mini-text --bridge --yes',
      'answers queries of mini-text from now on, first over a linear map',
    ],
    [
      'npx zx scripts/migrate.mjs --model mini-text --config shards.yml',
      "serves another fleet's items under it",
    ],
  ],
  run: async (context, { flags }) => {
    const { device, backup, 'no-backup': noBackup, 'retry-dead': retryDead, config, ...others } = flags
    const asked = { ...others, device: chooseDevice(device), retryDead }
    if (config === undefined) return await migrate(context, { ...asked, backup: noBackup ? false : backup })
    refuseBesideConfig(flags)
    return await migrateShards(context, { ...asked, config })
  },
})
