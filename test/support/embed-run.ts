import type { Entry } from '../../lib/domain/batch.ts'
import { type Content, hashContent } from '../../lib/domain/content.ts'
import { type EmbedOptions, embedContents } from '../../lib/flows/embed-contents.ts'
import type { Clock } from '../../lib/flows/embed-contents-clock.ts'
import type { Embedded, EmbeddingServer, ServerDescription } from '../../lib/ports/embedding-server.ts'
import { FakeLedger } from './fakes/ledger.ts'

export const DIMENSIONS = 2

/** Answers a batch of texts, the `call`th, or raises EmbedError. */
export type Behave = (texts: readonly string[], call: number, signal: AbortSignal) => void | Promise<void>

/** A server that embeds a text as its length and its number, where `behave` lets it. */
export function createFakeServer(
  behave: Behave = () => undefined,
  description: ServerDescription = { limits: {} },
) {
  const calls: (readonly string[])[] = []
  const server: EmbeddingServer = {
    findProblem: async () => undefined,
    describe: async () => description,
    async embed(contents, signal): Promise<Embedded> {
      const texts = contents.map(textOf)
      calls.push(texts)
      await behave(texts, calls.length, signal)
      return { vectors: Float32Array.from(texts.flatMap(vectorOf)), tokens: texts.length }
    },
    close: async () => undefined,
  }
  return { server, calls }
}

export function vectorOf(text: string): number[] {
  return [text.length, Number(/\d+/.exec(text)?.[0] ?? 0)]
}

/** A clock that is turned by whoever waits: no time passes but that which somebody waits for. */
export function createJumpingClock(): Clock {
  let time = 0
  return {
    now: () => time,
    after(ms, run) {
      let isCancelled = false
      const due = time + ms
      setImmediate(() => {
        if (isCancelled) return
        time = Math.max(time, due)
        run()
      })
      return () => {
        isCancelled = true
      }
    },
    busyMs: () => 0,
  }
}

export async function* listEntries(texts: Iterable<string>): AsyncGenerator<Entry> {
  for (const text of texts) yield makeEntry(text)
}

export function makeEntry(text: string): Entry {
  const content = { kind: 'text', text } as const
  return { hash: hashContent(content), content }
}

/** Embeds texts into a ledger in memory. */
export async function embedTexts(
  texts: readonly string[],
  behave?: Behave,
  options: Partial<EmbedOptions> & { readonly ledger?: FakeLedger } = {},
) {
  const { server, calls } = createFakeServer(behave)
  const ledger = options.ledger ?? new FakeLedger(DIMENSIONS)
  const asked = {
    ...{ source: listEntries(texts), server, signal: new AbortController().signal },
    clock: createJumpingClock(),
    ...options,
    ledger,
  }
  const [outcome] = await Promise.allSettled([embedContents(asked)])
  const counts = outcome.status === 'fulfilled' ? outcome.value : undefined
  const error = outcome.status === 'rejected' ? (outcome.reason as Error) : undefined
  return { counts, error, calls, ledger }
}

/** What a ledger holds of these texts: `embedded`, the reason of a dead one, `wrong` for another's embedding. */
export function describeTexts(texts: readonly string[], ledger: FakeLedger): (string | undefined)[] {
  return texts.map((text) => {
    const { hash } = makeEntry(text)
    const vector = ledger.vectors.get(Buffer.from(hash).toString('hex'))
    if (!vector) return ledger.reasonOf(hash)
    return String([...vector]) === String(vectorOf(text)) ? 'embedded' : 'wrong'
  })
}

function textOf(content: Content): string {
  if (content.kind === 'text') return content.text
  return `image of ${content.bytes.length} bytes`
}
