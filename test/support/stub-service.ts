/**
 * A service of the local engine that does what its environment says, for tests of the engine: STUB_READY_AFTER_MS
 * delays it, STUB_IGNORE_SIGTERM has it ignore the signal, STUB_CRASH,
 * STUB_NEVER_READY and STUB_CANARY_FAILED are the words that it fails with. GET /crash ends it, GET /hang makes it
 * unready, GET /crash-for-good ends it and every process after it.
 */
import { existsSync, writeFileSync } from 'node:fs'
import { createServer, type RequestListener } from 'node:http'
import { type AddressInfo, Server } from 'node:net'

const { env } = process
const crashFile = `${env.ENDPOINTS_FILE}.crash`
if (env.STUB_CRASH) throw new Error(env.STUB_CRASH)
if (existsSync(crashFile)) throw new Error('crashed for good')

const generations = (env.GENERATIONS ?? '').split(',').filter(Boolean).map(parseGeneration)
let problem = env.STUB_NEVER_READY
  ? { code: 'not_ready', message: env.STUB_NEVER_READY }
  : env.STUB_CANARY_FAILED
    ? { code: 'canary_failed', message: env.STUB_CANARY_FAILED }
    : undefined

const answer: RequestListener = (request, response) => {
  const send = (status: number, body: unknown) => {
    response.writeHead(status, {
      'content-type': 'application/json',
      ...(isDraining && { connection: 'close' }),
    })
    response.end(JSON.stringify(body))
  }
  const { TASK_ID: task, NODE_NAME: node, CLUSTER: cluster } = env
  switch (request.url) {
    case '/readyz':
      return problem ? send(503, { error: problem }) : send(200, {})
    case '/v1/status':
      return send(200, { service: process.argv[2], task, node, cluster, generations, pid: process.pid, env })
    case '/crash':
      console.error('Error: told to crash')
      return process.exit(3)
    case '/crash-for-good':
      writeFileSync(crashFile, '')
      return process.exit(3)
    case '/hang':
      problem = { code: 'not_ready', message: 'told to hang' }
      return send(200, {})
    case '/':
      return send(200, { task, generation: generations[0]?.name })
    default:
      return send(404, { error: { code: 'not_found', message: `no ${request.url} here` } })
  }
}

let isDraining = false
const own = createServer(answer)
const shared = createServer(answer)
own.listen({ port: 0, host: '127.0.0.1', exclusive: true }, () => process.send?.({ admin: portOf(own) }))
if (!problem) setTimeout(listen, Number(env.STUB_READY_AFTER_MS ?? 0))

function listen(): void {
  const options = { port: Number(env.PORT), host: env.HOST, exclusive: process.argv[2] !== 'gateway' }
  shared.listen(options, () => process.send?.({ listening: portOf(shared) }))
}

process.on('SIGTERM', () => {
  if (env.STUB_IGNORE_SIGTERM) return
  isDraining = true
  setTimeout(() => {
    // http.Server's own close cuts connections whose request has not arrived yet.
    Server.prototype.close.call(own)
    Server.prototype.close.call(shared, () => process.exit(0))
  }, 100)
})

function portOf(server: ReturnType<typeof createServer>): number {
  return (server.address() as AddressInfo).port
}

function parseGeneration(text: string) {
  const [name, digest] = text.split('@')
  return { name, digest }
}
