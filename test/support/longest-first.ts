import { relative } from 'node:path'

/** About how many seconds files take in the company of others, below `test`. Those that are missing take less. */
export const SECONDS: Readonly<Record<string, number>> = {
  'swarm/update-answers.test.ts': 230,
  'swarm/update.test.ts': 200,
  'swarm/faults-nodes.test.ts': 200,
  'swarm/faults-kill.test.ts': 200,
  'swarm/replica-groups.test.ts': 200,
  'swarm/faults-operator.test.ts': 190,
  'swarm/update-back.test.ts': 170,
  'swarm/contracts.test.ts': 170,
  'swarm/apply.test.ts': 150,
  'swarm/migrate.test.ts': 200,
  'swarm/backfill.test.ts': 140,
  'swarm/faults-power.test.ts': 130,
  'swarm/verify.test.ts': 110,
  'swarm/faults-leader.test.ts': 100,
  'swarm/doctor.test.ts': 90,
  'swarm/replica-groups-back.test.ts': 90,
  'swarm/faults-delivery.test.ts': 80,
  'swarm/lab.test.ts': 75,
  'swarm/delivery.test.ts': 60,
  'swarm/image.test.ts': 50,
  'e2e/interruption.test.ts': 300,
  'e2e/move-service.test.ts': 150,
  'e2e/ingest.test.ts': 100,
  'e2e/migrate.test.ts': 100,
  'e2e/replica-groups.test.ts': 100,
  'adapters/local/orchestrator.test.ts': 75,
  'e2e/main-job.test.ts': 70,
  'e2e/cron.test.ts': 70,
  'e2e/kinds-of-search.test.ts': 55,
  'e2e/bad-generations.test.ts': 50,
  'e2e/migrate-bridge.test.ts': 60,
  'e2e/migrate-shards-killed.test.ts': 60,
}

/** The same files, those first that take longest, so that all lanes end together. */
export function longestFirst(files: readonly string[]): string[] {
  const secondsOf = (file: string) => SECONDS[relative('test', file)] ?? 0
  return files.toSorted((a, b) => secondsOf(b) - secondsOf(a))
}
