import { once } from 'node:events'
import { rm } from 'node:fs/promises'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { json } from 'node:stream/consumers'
import { LongshoreError, messageOf } from '../../domain/errors.ts'
import { identifyProcess } from '../process/process-identity.ts'
import type { Agent } from './agent.ts'
import { type AgentFacts, type ChangeRequest, locateSocket } from './agent-protocol.ts'

/** Answers for the agent on its Unix socket, which only the same user may open. `onShutdown` is called once asked for. */
export async function serveAgent(agent: Agent, onShutdown: () => void): Promise<Server> {
  const server = createServer((request, response) => {
    answer(agent, request, onShutdown)
      .then(({ status, body }) => send(response, status, body))
      .catch((error: unknown) => send(response, 500, { error: { code: 'bug', message: messageOf(error) } }))
  })
  const path = locateSocket(agent.settings.state)
  // Whoever may start an agent has made sure that no other one lives: what lies there is a dead one's.
  await rm(path, { force: true })
  const former = process.umask(0o177)
  try {
    server.listen(path)
    await once(server, 'listening')
  } finally {
    process.umask(former)
  }
  return server
}

type Answer = { readonly status: number; readonly body: unknown }

async function answer(agent: Agent, request: IncomingMessage, onShutdown: () => void): Promise<Answer> {
  const [, resource = '', name = ''] = (request.url ?? '').split('/').map(decodeURIComponent)
  switch (`${request.method} ${resource}`) {
    case 'GET agent': {
      const facts: AgentFacts = { process: identifyProcess(), entry: agent.settings.entry }
      return { status: 200, body: facts }
    }
    case 'GET services':
      return { status: 200, body: agent.describe() }
    case 'PUT services': {
      const { spec, deadlineMs } = (await json(request)) as ChangeRequest
      if (spec.name !== name) throw new LongshoreError('usage', `${name} is asked to be ${spec.name}`)
      return { status: 202, body: { id: agent.change(spec, deadlineMs) } }
    }
    case 'DELETE services':
      return { status: 202, body: { id: agent.remove(name) } }
    case 'GET changes': {
      const result = agent.result(Number(name))
      return result ? { status: 200, body: result } : { status: 404, body: null }
    }
    case 'POST shutdown':
      onShutdown()
      return { status: 202, body: null }
    default:
      return { status: 404, body: null }
  }
}

function send(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { 'content-type': 'application/json', connection: 'close' })
  response.end(JSON.stringify(body))
}
