import { command } from '../lib/cli/command.ts'
import { verify } from '../lib/flows/verify.ts'

await command({
  name: 'verify',
  summary:
    'Hashes generations again on the disks of the nodes, and tells which copies are damaged or missing.',
  description: 'Without dg_N: those in service and before. Changes nothing without --repair.',
  positionals: { max: 1, names: ['dg_N'] },
  flags: {
    nodes: { type: 'string', value: 'NAMES', description: 'only these nodes: n1,n2 (default: all)' },
    repair: { type: 'boolean', description: 'bring again what is damaged or missing' },
  },
  examples: [
    ['npx zx scripts/verify.mjs', 'reads what is in service and before on every node'],
    ['npx zx scripts/verify.mjs dg_8 --nodes n2 --repair --yes', 'mends one copy'],
  ],
  run: (context, { positionals: [generation], flags: { nodes, repair } }) =>
    verify(context, { generation, nodes: nodes?.split(','), repair }),
})
