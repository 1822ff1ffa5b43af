import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { createSeats, type Seat } from '../../services/index/seats.ts'

type Call = { readonly seat: number; readonly name: string; answer(): void; fail(error: Error): void }

/** Threads that do an errand until they are told that it is done, and search whatever they are prepared for. */
function makeSeats(prepared: readonly (readonly string[])[]) {
  const calls: Call[] = []
  const logged: string[] = []
  const wanted = new Set<string>()
  const questions: string[] = []
  const searched: string[] = []
  const all = prepared.map((generations, seat): Seat => {
    const call = (name: string, generation: string) =>
      new Promise<void>((resolve, fail) => {
        calls.push({ seat, name: `${name} ${generation}`, answer: resolve, fail })
      })
    return { thread: { call: call as Seat['thread']['call'] }, prepared: new Set(generations) }
  })
  const seats = createSeats(all, {
    demand: {
      has: (generation) => wanted.has(generation),
      list: () => [...wanted],
      begin: () => undefined,
      end: () => undefined,
    },
    log: (event) => logged.push(event),
    findSearch: (seat) => {
      const at = questions.findIndex((generation) => seat.prepared.has(generation))
      if (at < 0) return undefined
      const [generation] = questions.splice(at, 1)
      return async () => {
        searched.push(`${all.indexOf(seat)} ${generation}`)
      }
    },
  })
  return { ...seats, calls, logged, wanted, questions, searched }
}
const settle = () => new Promise((resolve) => setImmediate(resolve))

test('prepares one thread at a time, while the others search what they are prepared for', async () => {
  const { proceed, prepared, calls, wanted, questions, searched } = makeSeats([['dg_1'], ['dg_1']])
  for (const generation of ['dg_1', 'dg_2']) wanted.add(generation)
  questions.push('dg_2', 'dg_1', 'dg_1')
  proceed()
  await settle()
  assert.equal(
    calls.map(({ name }) => name),
    ['prepare dg_2'],
  )
  const [other] = [0, 1].filter((seat) => seat !== calls[0]!.seat)
  assert.equal(searched, [`${other} dg_1`, `${other} dg_1`], 'dg_2 waits for the thread that prepares')
  calls[0]!.answer()
  await settle()
  assert.ok(searched.includes(`${calls[0]!.seat} dg_2`))
  assert.equal(
    calls.map(({ name }) => name),
    ['prepare dg_2', 'prepare dg_2'],
  )
  calls[1]!.answer()
  await settle()
  assert.equal(
    [...prepared()],
    [
      ['dg_1', 2],
      ['dg_2', 2],
    ],
  )
})

test('rests in every thread, one at a time, and prepares again as soon as it is asked again', async () => {
  const { proceed, prepared, calls, wanted, questions, searched } = makeSeats([
    ['dg_1', 'dg_2'],
    ['dg_1', 'dg_2'],
  ])
  wanted.add('dg_2')
  proceed()
  await settle()
  assert.equal(
    calls.map(({ name }) => name),
    ['rest dg_1'],
  )
  wanted.add('dg_1')
  questions.push('dg_1')
  proceed()
  await settle()
  assert.is(searched.length, 1, 'the thread that did not rest yet searches')
  calls[0]!.answer()
  await settle()
  assert.equal([calls.length, calls[1]?.name], [2, 'prepare dg_1'])
  calls[1]!.answer()
  await settle()
  assert.is(prepared().get('dg_1'), 2)
})

test('lets a thread search that could not be prepared, so that the request is told, and says so', async () => {
  const { proceed, calls, logged, wanted, questions, searched } = makeSeats([[]])
  wanted.add('dg_1')
  questions.push('dg_1')
  proceed()
  calls[0]!.fail(new Error('no memory'))
  await settle()
  assert.equal([searched, logged], [['0 dg_1'], ['errand-failed']])
})

test.run()
