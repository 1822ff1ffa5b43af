/** Counts the predictions of one service as DeepDetect does. Source: jolibrain/deepdetect, src/service_stats.cc. */
export type ServiceStats = {
  succeed(facts: { readonly items: number; readonly tookMs: number }): void
  fail(): void
  render(): Readonly<Record<string, number>>
}

export function createServiceStats(): ServiceStats {
  let [successes, failures, items, totalMs] = [0, 0, 0, 0]
  return {
    succeed(facts) {
      successes++
      items += facts.items
      totalMs += facts.tookMs
    },
    fail() {
      failures++
    },
    render: () => ({
      inference_count: items,
      predict_count: successes + failures,
      predict_success: successes,
      predict_failure: failures,
      avg_batch_size: successes === 0 ? 0 : items / successes,
      avg_predict_duration_ms: successes === 0 ? 0 : totalMs / successes,
      avg_transform_duration_ms: 0,
      total_predict_duration_ms: totalMs,
      total_transform_duration_ms: 0,
    }),
  }
}
