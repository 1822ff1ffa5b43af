import { randomUUID } from 'node:crypto'
import { globSync, mkdirSync, rmdirSync } from 'node:fs'
import { layOut } from './layout.ts'

const PLACE = '/var/lib/longshore-lab-'

/** Makes the directory of a new lab: on a real disk, as engines need it, and with addresses that no other lab has. */
export function makeState(): string {
  for (;;) {
    const state = `${PLACE}${randomUUID().slice(0, 8)}`
    mkdirSync(state)
    // Looked at once it stands: of two that are made at the same time, one at least sees the other.
    const others = globSync(`${PLACE}*`).filter((other) => other !== state)
    if (!others.some((other) => addressOf(other) === addressOf(state))) return state
    rmdirSync(state)
  }
}

function addressOf(state: string): string {
  return layOut({ state, nodes: 0, managers: 0 }).address
}
