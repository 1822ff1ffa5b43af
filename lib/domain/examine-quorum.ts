import type { EngineReport } from './engine-report.ts'
import { type Finding, fail, orOk, warn } from './finding.ts'
import type { Member } from './swarm-members.ts'

/** Findings on managers named in the profile that are none, by what their own engines say. */
export function examineManagers(engines: readonly EngineReport[], managers: readonly string[]): Finding[] {
  const isManager = ({ docker }: EngineReport) => 'swarm' in docker && docker.swarm?.isManager === true
  const asked = engines.filter(({ name, docker }) => managers.includes(name) && 'swarm' in docker)
  const judge = asked.some(isManager) ? warn : fail
  return asked
    .filter((engine) => !isManager(engine))
    .map(({ name }) =>
      judge(
        'managers',
        `swarm.managers: ${name} is no manager of the Swarm`,
        `take it out of swarm.managers, or: docker node promote ${name}`,
      ),
    )
}

/** Findings on a Swarm that has no majority of managers, or would lose it with the next one. */
export function examineQuorum(members: readonly Member[]): Finding[] {
  const managers = members.filter(({ reachability }) => reachability !== null)
  const lost = managers.filter(({ reachability }) => reachability !== 'reachable').map(({ name }) => name)
  const reachable = managers.length - lost.length
  const majority = Math.floor(managers.length / 2) + 1
  const detail = `${reachable} of ${managers.length} managers can be reached`
  const names = lost.length > 0 ? ` (not ${lost.join(', ')})` : ''
  if (reachable < majority) {
    const hint = `bring ${lost.join(' or ')} back: nothing can be changed without ${majority} of them`
    return [fail('managers', `${detail}${names}`, hint)]
  }
  const isTight = reachable === majority && managers.length > 1
  const hint =
    lost.length > 0 ? `bring ${lost.join(' or ')} back` : 'have an odd number of managers, three or more'
  return orOk(
    isTight ? [warn('managers', `${detail}${names}: with one less, nothing can be changed`, hint)] : [],
    'managers',
    detail,
  )
}
