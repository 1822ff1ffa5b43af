/** TensorFlow Serving as a client sees it, with so many lanes that each embed one batch at a time: `node server.ts DIMENSIONS LANES MS`. */
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { createRandom } from '../../lib/domain/random.ts'

/** The batch that takes the time that is asked for; half of it is the same for batches of any size. */
const USUAL_ITEMS = 64

const [dimensions, lanes, usualMs] = process.argv.slice(2).map(Number) as [number, number, number]
const random = createRandom(1)
const answers = new Map<number, Buffer>()
const waiting: (() => void)[] = []
let free = lanes

const server = createServer(async (request, response) => {
  const parts: Buffer[] = []
  for await (const part of request) parts.push(part as Buffer)
  const { inputs } = JSON.parse(Buffer.concat(parts).toString()) as { inputs: readonly string[] }
  if (free > 0) free--
  else await new Promise<void>((resolve) => waiting.push(resolve))
  const tookMs = usualMs * (0.5 + (0.5 * inputs.length) / USUAL_ITEMS)
  setTimeout(() => {
    const next = waiting.shift()
    if (next) next()
    else free++
    response.writeHead(200, { 'content-type': 'application/json' }).end(makeAnswer(inputs.length))
  }, tookMs)
})
server.listen(0, '127.0.0.1', () => process.send?.((server.address() as AddressInfo).port))
process.once('disconnect', () => process.exit())

/** Eight digits a value, as TensorFlow Serving writes float32. */
function makeAnswer(count: number): Buffer {
  const known = answers.get(count)
  if (known) return known
  const row = () => Array.from({ length: dimensions }, () => Number(((random() - 0.5) / 5).toPrecision(8)))
  const answer = Buffer.from(JSON.stringify({ outputs: Array.from({ length: count }, row) }))
  answers.set(count, answer)
  return answer
}
