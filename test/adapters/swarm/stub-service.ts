/**
 * A service of the Swarm engine that does what its environment says, for tests of the engine: STUB_READY_AFTER_MS delays
 * it; STUB_CRASH, STUB_NEVER_READY and STUB_CANARY_FAILED are the words that it fails with. GET /crash ends it.
 */
import { createServer } from 'node:http'

const { env } = process
if (env.STUB_CRASH) throw new Error(env.STUB_CRASH)

const readyAt = performance.now() + Number(env.STUB_READY_AFTER_MS ?? 0)
const generations = (env.GENERATIONS ?? '').split(',').filter(Boolean).map(parseGeneration)
let isDraining = false

const server = createServer((request, response) => {
  const send = (status: number, body: unknown) => {
    response.writeHead(status, {
      'content-type': 'application/json',
      ...(isDraining && { connection: 'close' }),
    })
    response.end(JSON.stringify(body))
  }
  const { TASK_ID: task, NODE_NAME: node, CLUSTER: cluster } = env
  switch (request.url) {
    case '/readyz': {
      const problem = findProblem()
      return problem ? send(503, { error: problem }) : send(200, {})
    }
    case '/v1/status':
      return send(200, { service: process.argv[2], task, node, cluster, generations, env })
    case '/crash':
      console.error('Error: told to crash')
      return process.exit(3)
    case '/':
      return send(200, { task, generation: generations[0]?.name })
    default:
      return send(404, { error: { code: 'not_found', message: `no ${request.url} here` } })
  }
})
server.listen(Number(env.PORT), env.HOST)

process.on('SIGTERM', () => {
  isDraining = true
  setTimeout(() => server.close(() => process.exit(0)), Number(env.LAME_DUCK_MS ?? 300))
})

function findProblem(): { code: string; message: string } | undefined {
  if (isDraining) return { code: 'draining', message: 'is being stopped' }
  if (env.STUB_NEVER_READY) return { code: 'not_ready', message: env.STUB_NEVER_READY }
  if (env.STUB_CANARY_FAILED) return { code: 'canary_failed', message: env.STUB_CANARY_FAILED }
  return performance.now() < readyAt ? { code: 'not_ready', message: 'not yet' } : undefined
}

function parseGeneration(text: string) {
  const [name, digest] = text.split('@')
  return { name, digest }
}
