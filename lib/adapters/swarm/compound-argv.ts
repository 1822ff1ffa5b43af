import { quoteArgv } from '../ssh/quote.ts'

// A command costs a far manager two trips and several processes: what belongs together is one.

const EACH = `
ids=$(eval "$1"); code=$?
shift
[ -z "$ids" ] || "$@" $ids || exit
exit $code`

const THEN = `
next=$1
shift
"$@" && eval "$next"`

/** The command that runs `argv` with the ids that `list` prints, unless it prints none; fails as either does. */
export function eachArgv(argv: readonly string[], list: readonly string[]): string[] {
  return ['sh', '-c', EACH, 'sh', quoteArgv(list), ...argv]
}

/** The command that runs `argv`, then, where that has succeeded, `next`; prints what both do. */
export function thenArgv(argv: readonly string[], next: readonly string[]): string[] {
  return ['sh', '-c', THEN, 'sh', quoteArgv(next), ...argv]
}
