import { command } from '../lib/cli/command.ts'
import { WAIT_FLAG, withWait } from '../lib/cli/wait-flag.ts'
import { deliver } from '../lib/flows/deliver.ts'

await command({
  name: 'deliver',
  summary: 'Puts a generation on the nodes, verified, without serving it. Made for cron.',
  positionals: { max: 1, names: ['dg_N'] },
  flags: { wait: WAIT_FLAG },
  examples: [['npx zx scripts/deliver.mjs --yes', 'delivers the newest generation']],
  run: (context, { positionals: [generation], flags: { wait } }) =>
    deliver(withWait(context, wait), { generation }),
})
