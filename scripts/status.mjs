import { command } from '../lib/cli/command.ts'
import { parseSeconds, watchAnswers } from '../lib/cli/watch.ts'
import { publishFacts } from '../lib/flows/publish-facts.ts'
import { status } from '../lib/flows/status.ts'

await command({
  name: 'status',
  summary:
    'Shows what is served, by whom and where, what was released, what runs, and what is not as it should be.',
  positionals: { max: 0, names: [] },
  flags: {
    watch: { type: 'boolean', description: 'show it again and again, until Ctrl-C' },
    every: { type: 'string', value: 'SECONDS', description: 'how often with --watch (default: 2)' },
    publish: { type: 'boolean', description: 'hand it to the consoles of gateways in a Swarm, too' },
  },
  examples: [['--watch | tee status.log', 'a block with the time for each change']],
  async run(context, { flags, json, profileFile }) {
    const everyMs = parseSeconds(flags.every ?? '2', 'every')
    const look = () => status(context)
    const onAnswer = flags.publish ? publishFacts(context, profileFile) : async () => undefined
    if (flags.watch) return await watchAnswers(look, { everyMs, json, signal: context.signal, onAnswer })
    const answer = await look()
    await onAnswer(answer)
    return answer
  },
})
