/** What happened between the gateway and the tasks of its shards, by cluster. */
export type ShardCounters = {
  /** Second requests sent because the first was slow. */
  readonly hedges: Map<number, number>
  /** Requests sent again because a task failed or fell silent. */
  readonly retries: Map<number, number>
  /** Requests that a task did not answer, or not rightly. */
  readonly failures: Map<number, number>
}

export function createShardCounters(): ShardCounters {
  return { hedges: new Map(), retries: new Map(), failures: new Map() }
}

export function addOne(counter: Map<number, number>, cluster: number): void {
  counter.set(cluster, (counter.get(cluster) ?? 0) + 1)
}
