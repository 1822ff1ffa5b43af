import { type Finding, fail, orOk } from './finding.ts'

/** Who has the gateway's port on one node. */
export type PortReport = {
  readonly name: string
  /** Whether anybody listens on it. */
  readonly isTaken: boolean
  /** Containers that publish it there, with the Swarm's name of the service that they belong to. */
  readonly containers: readonly { readonly name: string; readonly service: string | null }[]
}

export type PortNeeds = {
  readonly port: number
  /** The Swarm's name of our gateway. */
  readonly gateway: string
  /** Services that publish the port on every node, whoever's they are. */
  readonly meshed: readonly string[]
}

const LISTENING = '0A'

/** Whether anybody listens on a port, by what Linux prints in /proc/net/tcp and tcp6. */
export function isListening(table: string, port: number): boolean {
  const end = `:${port.toString(16).toUpperCase().padStart(4, '0')}`
  return table.split('\n').some((line) => {
    const [, local = '', , state] = line.trim().split(/\s+/)
    return local.endsWith(end) && state === LISTENING
  })
}

/** Findings on nodes where somebody else has the gateway's port. */
export function examinePorts(reports: readonly PortReport[], needs: PortNeeds): Finding[] {
  if (needs.port === 0 || reports.length === 0) return []
  const findings = reports.flatMap((report) => examinePort(report, needs))
  return orOk(findings, 'port', `nobody else has port ${needs.port} on the nodes`)
}

function examinePort({ name, isTaken, containers }: PortReport, needs: PortNeeds): Finding[] {
  const { port, gateway, meshed } = needs
  const hint = `set gateway.port to another one, or free it on ${name}`
  const other = containers.find(({ service }) => service !== gateway)
  if (other) {
    const whose = other.service === null ? '' : ` of the service ${other.service}`
    const detail = `port ${port} on ${name} is taken by the container ${other.name}${whose}`
    return [fail('port', detail, hint)]
  }
  if (!isTaken || containers.length > 0 || meshed.length > 0) return []
  const detail = `port ${port} on ${name} is taken by a process that is no container`
  // An engine that was killed may go on holding ports of containers that are no more.
  const who = `(ss -ltnp 'sport = :${port}' tells who has it; where that is docker-proxy, restart docker)`
  return [fail('port', detail, `${hint} ${who}`)]
}
