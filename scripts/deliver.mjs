import { keepCompiled } from '../lib/cli/compile-cache.mjs'

// Small differences are brought in less time than it takes to compile what brings them.
keepCompiled()
const { command } = await import('../lib/cli/command.ts')
const { WAIT_FLAG, withWait } = await import('../lib/cli/wait-flag.ts')

await command({
  name: 'deliver',
  summary: 'Puts a generation on the nodes, verified, without serving it. Made for cron.',
  positionals: { max: 1, names: ['dg_N'] },
  flags: { wait: WAIT_FLAG },
  examples: [['npx zx scripts/deliver.mjs --yes', 'delivers the newest generation']],
  run: async (context, { positionals: [generation], flags: { wait } }) => {
    const { deliver } = await import('../lib/flows/deliver.ts')
    return await deliver(withWait(context, wait), { generation })
  },
})
