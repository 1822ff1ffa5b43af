/**
 * `node services/ask.mjs <path>`: GET on the own port of the task in this container, so that a node needs neither curl nor a
 * shell. Prints the body; ends with 0 for status 200, else with 1 and `{"status","body"}` in its place.
 *
 * Every task is asked this way every second or so, and most of the cost is starting: plain JavaScript and a bare socket
 * take a third of the processor time of TypeScript and an HTTP client.
 */
import { connect } from 'node:net'
import { text } from 'node:stream/consumers'

const TIMEOUT_MS = 120_000

const [path = '/readyz'] = process.argv.slice(2)
const socket = connect({ host: '127.0.0.1', port: Number(process.env.PORT) })
socket.setTimeout(TIMEOUT_MS, () => socket.destroy(new Error(`no answer in ${TIMEOUT_MS / 1000} s`)))
// With HTTP/1.0 the body is all that comes until the connection ends.
socket.write(`GET ${path} HTTP/1.0\r\nHost: 127.0.0.1\r\n\r\n`)
try {
  report(await text(socket))
} catch (error) {
  end(`cannot be reached: ${error instanceof Error ? error.message : error}`)
}

/** @param {string} reply */
function report(reply) {
  const status = Number(reply.match(/^HTTP\/1\.[01] (\d{3}) /)?.[1])
  const split = reply.indexOf('\r\n\r\n')
  if (!status || split < 0) return end('cannot be reached: the connection ended before its answer')
  const body = reply.slice(split + 4)
  if (status === 200) process.stdout.write(body)
  else end(JSON.stringify({ status, body }))
}

/** @param {string} words */
function end(words) {
  process.stdout.write(words)
  process.exitCode = 1
}
