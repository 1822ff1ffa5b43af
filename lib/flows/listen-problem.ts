import { createServer } from 'node:net'

/** Why nothing new can listen on a port of this machine, in the words of the system; undefined when it is free. */
export async function findListenProblem(host: string, port: number): Promise<string | undefined> {
  const server = createServer()
  const problem = await new Promise<string | undefined>((resolve) => {
    server.once('error', (error) => resolve(error.message))
    server.listen({ host, port, exclusive: true }, () => resolve(undefined))
  })
  if (problem === undefined) await new Promise((resolve) => server.close(resolve))
  return problem
}
