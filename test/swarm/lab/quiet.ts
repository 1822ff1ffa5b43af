import { $ } from 'zx'

/** Runs local programs; what they say on stderr is told in the error when they fail, and nowhere else. */
export const run = $({ quiet: true })

/** The same, for programs whose failure is an answer. */
export const ask = $({ quiet: true, nothrow: true })
