import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { locateLogs } from './agent-protocol.ts'
import { listDirectory } from './node-directory.ts'

const KEPT = 10

/** Deletes the logs of a service's tasks but for those of `running` tasks and the ten newest others. */
export async function removeOldLogs(
  state: string,
  service: string,
  running: readonly string[],
): Promise<void> {
  const logs = locateLogs(state)
  const numbers = (await listDirectory(logs)).flatMap((name) => readNumber(name, service) ?? [])
  const ended = numbers.filter((number) => !running.includes(`${service}.${number}`))
  const old = ended.sort((a, b) => b - a).slice(KEPT)
  await Promise.all(old.map((number) => rm(join(logs, `${service}.${number}.log`), { force: true })))
}

function readNumber(name: string, service: string): number | undefined {
  const match = /^(.+)\.(\d+)\.log$/.exec(name)
  return match?.[1] === service ? Number(match[2]) : undefined
}
