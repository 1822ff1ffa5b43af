import type { HttpClient } from '../../lib/adapters/http/client.ts'
import { UnreachableError } from '../../lib/adapters/http/unreachable.ts'
import { createIndexClient, type ShardAnswer } from '../../services/gateway/index-client.ts'
import { createShardCounters } from '../../services/gateway/shard-counters.ts'
import { createVirtualClock } from './virtual-clock.ts'

/** After how many milliseconds a task answers; never, when it is frozen; not at all, when it is gone. */
export type Behaviour = number | 'frozen' | 'gone' | 'busy'

const REF = { name: 'dg_8', digest: 'sha256:8' }
const DEADLINE_MS = 5_000

/** The tasks of one shard, whose answers take virtual time, and an index client that asks them. */
export function createFakeTasks(
  behaviours: Record<string, Behaviour | (() => Behaviour)>,
  hedgeShare = 0.05,
) {
  const clock = createVirtualClock()
  const counters = createShardCounters()
  /** Of each request: the task, its address, and whether it was aborted. */
  const requests: { endpoint: string; url: URL; signal: AbortSignal }[] = []
  const client: HttpClient = {
    post: (address, { signal }) =>
      new Promise((resolve, reject) => {
        const url = new URL(address)
        requests.push({ endpoint: url.hostname, url, signal })
        const fail = (reason: string) => reject(new UnreachableError(`cannot reach ${address}: ${reason}`))
        signal.addEventListener('abort', () => fail('no answer in time'))
        const behave = behaviours[url.hostname]!
        const behaviour = typeof behave === 'function' ? behave() : behave
        if (behaviour === 'gone') fail('connection refused')
        else if (behaviour === 'busy')
          resolve({ status: 503, body: render({ error: { message: 'is busy' } }) })
        else if (behaviour !== 'frozen') {
          const answer = render({ generation: REF.name, digest: REF.digest, cluster: 0, hits: [[]] })
          clock.after(behaviour, () => resolve({ status: 200, body: answer }))
        }
      }),
  }
  const endpoints = Object.keys(behaviours).map((name) => `http://${name}`)
  const discovery = { endpointsOf: () => endpoints, refresh: () => undefined }
  const askShard = createIndexClient({
    ref: REF,
    groups: ['a'],
    discovery,
    client,
    attemptMs: DEADLINE_MS / 2,
    hedgeShare,
    counters,
    clock,
  })
  const ask = async (
    signal = new AbortController().signal,
    leftMs = DEADLINE_MS,
  ): Promise<{ answer: ShardAnswer; tookMs: number }> => {
    const begun = clock.now()
    const answer = await askShard({
      cluster: 0,
      vectors: new Float32Array(4),
      k: 1,
      signal,
      deadline: begun + leftMs,
    })
    return { answer, tookMs: clock.now() - begun }
  }
  return {
    clock,
    counters,
    requests,
    ask,
    /** Asks at a constant rate, answered or not; the times that the answers took, shortest first. */
    async askSteadily(count: number, everyMs: number): Promise<number[]> {
      const answers: Promise<{ tookMs: number }>[] = []
      for (let turn = 0; turn < count; turn++) {
        answers.push(ask())
        await clock.pass(everyMs)
      }
      await clock.pass(2 * DEADLINE_MS)
      return (await Promise.all(answers)).map(({ tookMs }) => tookMs).sort((a, b) => a - b)
    },
  }
}

function render(body: unknown): Buffer {
  return Buffer.from(JSON.stringify(body))
}
