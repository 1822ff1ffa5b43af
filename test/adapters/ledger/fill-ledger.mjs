/** Adds numbered contents to a ledger for ever, and says how many it holds for certain: `fill-ledger.mjs DIRECTORY FIRST`. */
import { createHash } from 'node:crypto'
import { createLedgerStore } from '../../../lib/adapters/ledger/store.ts'

const [, , directory = '', first = '0'] = process.argv
const ledger = await createLedgerStore({ directory, owner: 'child' }).open({
  fingerprint: 'sha256:model',
  dimensions: 4,
})
for (let number = Number(first); ; number += 3) {
  const numbers = [number, number + 1, number + 2]
  const hashes = numbers.map((each) => createHash('sha256').update(`text\nitem ${each}`).digest())
  const vectors = numbers.flatMap((each) => [each, -each, 0.5, 1 / (each + 1)])
  await ledger.append(Buffer.concat(hashes), Float32Array.from(vectors))
  process.stdout.write(`${number + 3}\n`)
}
