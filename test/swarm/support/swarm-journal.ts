import { createManager } from '../../../lib/adapters/swarm/docker-client.ts'
import { createMemoryLog } from '../../../lib/adapters/swarm/memory-log.ts'
import type { JournalEntry } from '../../../lib/domain/record.ts'
import { createLocalShell } from '../../adapters/swarm/local-shell.ts'
import { eventually } from '../../support/eventually.ts'
import type { RunningScript } from '../../support/fleet.ts'
import type { Lab } from '../lab/lab.ts'
import { FLEET } from './swarm-fleet.ts'

const WAIT_MS = 240_000
const NEVER = new AbortController().signal

/** What the fleet of a lab has written of its runs, read past the network. */
export type SwarmJournal = {
  /** Waits for a line of this command, or until it has ended; the line, or undefined. */
  waitFor(script: RunningScript, matches: (entry: JournalEntry) => boolean): Promise<JournalEntry | undefined>
}

export function openSwarmJournal(lab: Lab): SwarmJournal {
  const engines = Object.fromEntries(lab.nodes.map(({ name, socket }) => [name, `unix://${socket}`]))
  const managers = lab.nodes.filter(({ isManager }) => isManager).map(({ name }) => name)
  const log = createMemoryLog(createManager(createLocalShell({ engines }), managers), FLEET)
  return {
    waitFor: async (script, matches) =>
      await eventually(async () => {
        const isOver = script.hasEnded()
        const { memory } = await log.readHead({ signal: NEVER })
        const own = memory.journal.filter(({ owner }) => owner.endsWith(` ${script.pid}`))
        const found = own.find(matches)
        if (!found && !isOver) throw new Error(`no such line of ${script.pid}`)
        return found
      }, WAIT_MS),
  }
}
