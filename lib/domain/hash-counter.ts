const WORDS = 3

/** Counts 64-bit hashes in 12 bytes a slot, where a Set of texts would take ten times that. */
export type HashCounter = {
  /** Adds one, and returns how often the hash was there before. */
  add(high: number, low: number): number
}

/** An open-addressing table with linear probing, at most half full. `expected` spares it from growing. */
export function createHashCounter(expected = 1024): HashCounter {
  let slots = slotsFor(expected)
  let table = new Uint32Array(slots * WORDS)
  let used = 0

  const findSlot = (high: number, low: number): number => {
    let slot = (low ^ (high >>> 7)) & (slots - 1)
    for (;;) {
      const at = slot * WORDS
      if (table[at + 2] === 0 || (table[at] === high && table[at + 1] === low)) return at
      slot = (slot + 1) & (slots - 1)
    }
  }
  const grow = () => {
    const former = table
    slots *= 2
    table = new Uint32Array(slots * WORDS)
    for (let at = 0; at < former.length; at += WORDS) {
      if (former[at + 2] !== 0)
        table.set(former.subarray(at, at + WORDS), findSlot(former[at]!, former[at + 1]!))
    }
  }
  return {
    add(high, low) {
      const at = findSlot(high >>> 0, low >>> 0)
      const before = table[at + 2]!
      if (before === 0) {
        table[at] = high
        table[at + 1] = low
        used++
      }
      table[at + 2] = before + 1
      if (used * 2 > slots) grow()
      return before
    },
  }
}

function slotsFor(expected: number): number {
  return 2 ** Math.ceil(Math.log2(Math.max(16, expected * 2)))
}
