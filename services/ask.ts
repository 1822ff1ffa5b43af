/**
 * `node services/ask.ts <path>`: GET on the own port of the task in this container, so that a node needs neither curl nor a
 * shell. Prints the body; ends with 0 for status 200, else with 1 and `{"status","body"}` in its place.
 */
import { get } from 'node:http'
import { text } from 'node:stream/consumers'

const TIMEOUT_MS = 120_000

const [path = '/readyz'] = process.argv.slice(2)
const request = get(
  { host: '127.0.0.1', port: process.env.PORT, path, agent: false, timeout: TIMEOUT_MS },
  async (reply) => {
    const body = await text(reply)
    if (reply.statusCode === 200) process.stdout.write(body)
    else end(JSON.stringify({ status: reply.statusCode, body }))
  },
)
request.on('timeout', () => request.destroy(new Error(`no answer in ${TIMEOUT_MS / 1000} s`)))
request.on('error', (error) => end(`cannot be reached: ${error.message}`))

function end(words: string): void {
  process.stdout.write(words)
  process.exitCode = 1
}
