import { command } from '../lib/cli/command.ts'
import { down } from '../lib/flows/down.ts'

await command({
  name: 'down',
  summary: 'Stops everything that runs for the profile. Generations and releases stay.',
  positionals: { max: 0, names: [] },
  flags: {},
  run: (context) => down(context),
})
