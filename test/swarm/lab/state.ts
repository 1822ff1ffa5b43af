import { randomUUID } from 'node:crypto'
import { networkInterfaces } from 'node:os'
import { layOut } from './layout.ts'

/** A directory for a new lab: on a real disk, as engines need it, and with addresses that no lab on this machine has. */
export function pickState(): string {
  const taken = Object.values(networkInterfaces()).flatMap((list) => list?.map(({ address }) => address))
  for (;;) {
    const state = `/var/lib/longshore-lab-${randomUUID().slice(0, 8)}`
    if (!taken.includes(layOut({ state, nodes: 0, managers: 0 }).address)) return state
  }
}
