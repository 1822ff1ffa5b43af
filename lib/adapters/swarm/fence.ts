import { LABELS } from '../../domain/swarm-names.ts'

/** The lock that a change is made under: changes under an older one than the newest are refused. */
export type Fence = { readonly fleet: string; readonly number: number }

/** Exit code of a command that was not run, because a newer lock was taken. */
export const OVERTAKEN = 75

// The question and the change are one command on the manager, so that however long an operator stands still between
// them, or its packets are on the way, it is the lock at the moment of the change that counts.
const ASK_FIRST = `
fences=$(docker config ls --filter "label=${LABELS.fleet}=$1" --format '{{.Label "${LABELS.fence}"}}' </dev/null) || exit
for fence in $fences; do [ "$fence" -le "$2" ] || exit ${OVERTAKEN}; done
shift 2
exec "$@"`

/** The command that runs `argv` unless a newer lock of the fleet stands by then; as it is, for a run without a lock. */
export function fenceArgv(argv: readonly string[], { fleet, number }: Fence): readonly string[] {
  return number === 0 ? argv : ['sh', '-c', ASK_FIRST, 'sh', fleet, String(number), ...argv]
}
