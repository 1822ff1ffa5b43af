import { command } from '../lib/cli/command.ts'
import { image } from '../lib/flows/image.ts'

const PUBLIC_BASE = 'node:24-slim'

await command({
  name: 'image',
  summary: 'Builds the image of the services and brings it to every node that lacks it, or to a registry.',
  positionals: { max: 0, names: [] },
  flags: {
    base: {
      type: 'string',
      value: 'IMAGE',
      description: `image with Node.js 24 and npm (default: ${PUBLIC_BASE})`,
    },
    'from-scratch': {
      type: 'boolean',
      description: "use this machine's Node.js and packages; no registry is asked",
    },
    push: { type: 'string', value: 'NAME', description: 'push it as NAME:<digest>, and bring it to no node' },
  },
  examples: [
    ['npx zx scripts/image.mjs --push registry.example:5000/longshore', 'for nodes with a registry'],
  ],
  run(context, { flags }) {
    const source = flags['from-scratch']
      ? /** @type {const} */ ({ kind: 'machine' })
      : /** @type {const} */ ({ kind: 'base', image: flags.base ?? PUBLIC_BASE })
    return image(context, { source, push: flags.push })
  },
})
