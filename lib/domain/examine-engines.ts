import { compareVersions, type EngineReport } from './engine-report.ts'
import { type Finding, fail, orOk } from './finding.ts'

/** Services that drop capabilities came with it, in Docker 20.10. */
const NEEDED_API = '1.41'

/** Findings on engines that we may not use, that do not run, or that are too old. */
export function examineEngines(engines: readonly EngineReport[]): Finding[] {
  const versions = engines.flatMap(({ docker }) => ('version' in docker ? [docker.version] : []))
  if (engines.length === 0) return []
  return orOk(
    engines.flatMap(examineEngine),
    'engine',
    `Docker ${[...new Set(versions)].join(' and ')} on ${engines.map(({ name }) => name).join(', ')}`,
  )
}

function examineEngine({ name, user, docker }: EngineReport): Finding[] {
  if ('problem' in docker) return [describeProblem(name, user, docker.problem)]
  if (compareVersions(docker.apiVersion, NEEDED_API) >= 0) return []
  const detail = `${name} speaks version ${docker.apiVersion} of Docker's API (engine ${docker.version}); services that drop capabilities need ${NEEDED_API}`
  return [fail('engine', detail, `install Docker 20.10 or newer on ${name}, engine and command alike`)]
}

function describeProblem(name: string, user: string, problem: string): Finding {
  if (/permission denied/i.test(problem)) {
    const hint = `usermod -aG docker ${user} on ${name}, or name another user in nodes of the profile`
    return fail('engine', `${name}: ${user} may not run docker: ${problem}`, hint)
  }
  if (/not found|no such file/i.test(problem) && !/daemon/i.test(problem)) {
    return fail('engine', `${name} has no docker: ${problem}`, `install Docker 20.10 or newer on ${name}`)
  }
  const hint = `start it there (systemctl start docker), or see why it does not (journalctl -u docker)`
  return fail('engine', `the engine of ${name} does not answer: ${problem}`, hint)
}
