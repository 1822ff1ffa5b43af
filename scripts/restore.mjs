import { command } from '../lib/cli/command.ts'
import { restore } from '../lib/flows/backup.ts'

await command({
  name: 'restore',
  summary: 'Makes the generation of an archive again, every file held against its manifest.',
  description: 'Serves nothing: update-indices.mjs dg_N does.',
  positionals: { min: 1, max: 1, names: ['FILE'] },
  flags: {
    files: {
      type: 'string',
      value: 'DIRECTORY',
      description: 'make this directory of the files that its items stand for',
    },
  },
  examples: [
    ['npx zx scripts/restore.mjs /backup/dg_8.tar', 'makes dgs/dg_8'],
    ['npx zx scripts/restore.mjs /backup/dg_8.tar --files photos', 'and photos, as they were'],
  ],
  run: (context, { positionals: [path = ''], flags: { files } }) => restore(context, { path, files }),
})
