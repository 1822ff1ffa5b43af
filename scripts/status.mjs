import { setTimeout as wait } from 'node:timers/promises'
import { command } from '../lib/cli/command.ts'
import { status } from '../lib/flows/status.ts'

const EVERY_MS = 2000

await command({
  name: 'status',
  summary: 'Shows what is served, by whom and where, what was released, and what is not as it should be.',
  positionals: { max: 0, names: [] },
  flags: { watch: { type: 'boolean', description: 'show it again every two seconds, until Ctrl-C' } },
  async run(context, { flags, print }) {
    while (flags.watch) {
      print(`${(await status(context)).text}\n`)
      await wait(EVERY_MS, undefined, { signal: context.signal })
    }
    return await status(context)
  },
})
