/**
 * `node services/pipe.mjs`: a connection to the own port of the task in this container, by stdin and stdout, so that whoever may
 * run docker on its node reaches the task although no port of it is published. Ends with 1 where there is no connection.
 */
import { connect } from 'node:net'
import { pipeline } from 'node:stream/promises'

const socket = connect({ host: '127.0.0.1', port: Number(process.env.PORT), noDelay: true })
try {
  await Promise.all([pipeline(process.stdin, socket), pipeline(socket, process.stdout)])
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : error}\n`)
  process.exit(1)
}
