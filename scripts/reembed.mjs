import { keepCompiled } from '../lib/cli/compile-cache.mjs'

keepCompiled()
const { command } = await import('../lib/cli/command.ts')
const { chooseDevice, EMBED_FLAGS } = await import('../lib/cli/embed-flags.ts')
const { reembed } = await import('../lib/flows/reembed.ts')

await command({
  name: 'reembed',
  summary: 'Makes a generation of a gallery under another model, and gates it.',
  description:
    'Embeds what was never embedded under this model, and nothing twice: killed and run again, it goes on where it was.\n' +
    'Serves nothing: update-indices.mjs dg_N does.',
  positionals: { max: 0, names: [] },
  flags: {
    ...EMBED_FLAGS,
    from: {
      type: 'string',
      value: 'GALLERY',
      description:
        'dg_N, a JSONL or Parquet file, or a directory of texts and images (default: the newest generation under another model)',
    },
    generation: {
      type: 'string',
      value: 'dg_N',
      description: 'the generation to make (default: the next one)',
    },
  },
  examples: [
    ['npx zx scripts/reembed.mjs --from dg_7 --model mini-text', 'makes dg_8 under mini-text'],
    ['npx zx scripts/reembed.mjs --model mini-text --dry-run', 'tells how much there is to embed'],
  ],
  run: (context, { flags: { from, model, device, generation, files, 'retry-dead': retryDead } }) =>
    reembed(context, { from, model, device: chooseDevice(device), generation, files, retryDead }),
})
