import { command } from '../lib/cli/command.ts'
import { backup } from '../lib/flows/backup.ts'

await command({
  name: 'backup',
  summary: 'Writes a generation with its items and their files into one file, and reads it back.',
  description:
    'Without dg_N: the newest one. Plain tar: NumPy and jq read what tar takes out of it.\n' +
    'A generation made of a directory is kept with the files in it, each as it was then.',
  positionals: { max: 1, names: ['dg_N'] },
  flags: {
    to: { type: 'string', value: 'FILE', description: 'the file to write (default: dg_N.tar)' },
    files: { type: 'string', value: 'DIRECTORY', description: 'where the files of items lie' },
    'no-files': { type: 'boolean', description: 'keep no files of items' },
  },
  examples: [
    ['npx zx scripts/backup.mjs dg_8 --to /backup/dg_8.tar', 'keeps dg_8 elsewhere'],
    ['npx zx scripts/backup.mjs --files photos', 'with the images that its items stand for'],
  ],
  run: (context, { positionals: [generation], flags: { to, files, 'no-files': noFiles } }) =>
    backup(context, { generation, to, files: noFiles ? false : files }),
})
