import { test } from 'uvu'
import * as assert from 'uvu/assert'
import type { Content } from '../../lib/domain/content.ts'
import { type EmbeddingServer, EmbedError, type EmbedFault } from '../../lib/ports/embedding-server.ts'

export type EmbeddingSubject = {
  readonly server: EmbeddingServer
  /** Row-major [contents, dimensions]: what the server has to give. */
  expect(contents: readonly Content[]): number[]
  readonly hasImages: boolean
  stop(): Promise<void>
}

const TEXTS = ['a', 'ß 漢字 😀', '"quoted"\n\t\\', ' '.repeat(300), '0', 'a']
const JPEG = Uint8Array.from([0xff, 0xd8, 0xff, 0xe0, 0, 10, 13, 34])
const forever = new AbortController().signal

export const makeText = (text: string): Content => ({ kind: 'text', text })
export const makeImage = (): Content => ({ kind: 'image', bytes: JPEG, mediaType: 'image/jpeg' })

/** Registers the promises of the port EmbeddingServer as tests, each on a subject of its own. */
export function describeEmbeddingServer(name: string, makeSubject: () => Promise<EmbeddingSubject>): void {
  const promise = (promised: string, check: (subject: EmbeddingSubject) => Promise<void>) =>
    test(`${name} ${promised}`, async () => {
      const subject = await makeSubject()
      try {
        await check(subject)
      } finally {
        await subject.server.close()
        await subject.stop()
      }
    })

  promise('embeds texts of any signs in their order', async ({ server, expect }) => {
    const contents = TEXTS.map(makeText)
    assert.equal([...(await server.embed(contents, forever)).vectors], expect(contents))
  })

  promise('embeds one text', async ({ server, expect }) => {
    const contents = [makeText('alone')]
    assert.equal([...(await server.embed(contents, forever)).vectors], expect(contents))
  })

  promise('embeds images, or says that it cannot', async ({ server, expect, hasImages }) => {
    const contents = [makeImage(), makeImage()]
    if (hasImages) assert.equal([...(await server.embed(contents, forever)).vectors], expect(contents))
    else await faultOf(server.embed(contents, forever), 'split', /texts alone/)
  })

  promise('answers several at a time, each its own', async ({ server, expect }) => {
    const batches = Array.from({ length: 20 }, (_, at) => [
      makeText(`number ${at}`),
      makeText('x'.repeat(at + 1)),
    ])
    const answers = await Promise.all(batches.map((contents) => server.embed(contents, forever)))
    assert.equal(
      answers.map(({ vectors }) => [...vectors]),
      batches.map(expect),
    )
  })

  promise('is ready, and tells its limits', async ({ server }) => {
    assert.is(await server.findProblem(forever), undefined)
    const { limits, inFlight = 1 } = await server.describe(forever)
    for (const limit of [...Object.values(limits), inFlight]) assert.ok(limit >= 1)
  })

  promise('heeds a signal', async ({ server }) => {
    const asking = server.embed([makeText('a')], AbortSignal.abort())
    const error = await asking.then(
      () => undefined,
      (reason: unknown) => reason,
    )
    assert.instance(error, Error)
  })
}

/** The EmbedError of this fault that a promise is rejected with; fails the test for anything else. */
export async function faultOf(work: Promise<unknown>, fault: EmbedFault, message = /./): Promise<EmbedError> {
  const error = await work.then(
    () => new Error(`expected ${fault}, but it resolved`),
    (reason: unknown) => reason,
  )
  if (!(error instanceof EmbedError)) throw error
  assert.is(error.fault, fault, error.message)
  assert.match(error.message, message)
  return error
}
