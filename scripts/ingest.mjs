import { keepCompiled } from '../lib/cli/compile-cache.mjs'

keepCompiled()
const { command } = await import('../lib/cli/command.ts')
const { WAIT_FLAG, withWait } = await import('../lib/cli/wait-flag.ts')
const { ingest } = await import('../lib/flows/ingest.ts')

await command({
  name: 'ingest',
  summary: 'Brings items into the gallery, embedded under every model of the profile; --index serves them.',
  description:
    'Sources are JSONL or Parquet files, directories of texts and images, http(s) addresses, and - for JSON lines on stdin.\n' +
    'Items go through a queue on disk: killed and run again, it goes on, and every item is in the gallery once, by its id.\n' +
    'Without a source it works off what waits. Any number of them may run at a time.',
  positionals: { max: 1000, names: ['source ...'] },
  flags: {
    model: {
      type: 'string',
      value: 'NAME,...',
      description: 'only these models of the profile, as NAME or NAME@VERSION',
    },
    files: { type: 'string', value: 'DIRECTORY', description: 'where the files of items lie' },
    remove: { type: 'string', value: 'ID,...', description: 'ids to take out of the gallery' },
    enqueue: { type: 'boolean', description: 'only fill the queue; other runs work it off' },
    'retry-dead': { type: 'boolean', description: 'try again what was given up before' },
    index: {
      type: 'boolean',
      description: 'then make a generation of the gallery and serve it; made for cron',
    },
    wait: WAIT_FLAG,
  },
  examples: [
    ['npx zx scripts/ingest.mjs items.jsonl', 'embeds the new ones and adds them to the gallery'],
    ['npx zx scripts/ingest.mjs --index --yes --quiet --wait 1800', 'for cron: serves what has come in'],
  ],
  run: (context, { positionals, flags }) =>
    ingest(context, {
      sources: positionals,
      models: flags.model?.split(',').filter(Boolean),
      files: flags.files,
      remove: flags.remove?.split(',').filter(Boolean),
      enqueue: flags.enqueue,
      retryDead: flags['retry-dead'],
      index: flags.index,
      fleet: withWait(context, flags.wait),
    }),
})
