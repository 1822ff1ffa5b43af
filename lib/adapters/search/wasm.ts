/** Bytes of WebAssembly code; nested lists are joined. */
export type Code = readonly (number | Code)[]

export type WasmFunction = {
  readonly name: string
  /** Number of i32 parameters; they are the first locals. */
  readonly parameters: number
  /** Number of further i32 locals, then of v128 locals. */
  readonly integers: number
  readonly vectors: number
  readonly body: Code
}

const I32 = 0x7f
const V128 = 0x7b
const SIMD = 0xfd

/** Unsigned LEB128, as WebAssembly writes numbers (specification §5.2.2). */
function unsigned(value: number): number[] {
  return value < 128 ? [value] : [(value & 127) | 128, ...unsigned(value >>> 7)]
}

/** Signed LEB128. */
function signed(value: number): number[] {
  const low = value & 127
  const rest = value >> 7
  const isLast = (rest === 0 && (low & 64) === 0) || (rest === -1 && (low & 64) !== 0)
  return isLast ? [low] : [low | 128, ...signed(rest)]
}

const load = (opcode: number, address: Code, offset: number): Code => [
  address,
  SIMD,
  opcode,
  4,
  unsigned(offset),
]

/** The few instructions that the kernel needs, each with its operands in the order of evaluation (§5.4). */
export const op = {
  get: (local: number): Code => [0x20, unsigned(local)],
  set: (local: number, value: Code): Code => [value, 0x21, unsigned(local)],
  constant: (value: number): Code => [0x41, signed(value)],
  add: (a: Code, b: Code): Code => [a, b, 0x6a],
  multiply: (a: Code, b: Code): Code => [a, b, 0x6c],
  shiftLeft: (a: Code, b: Code): Code => [a, b, 0x74],
  storeFloat: (address: Code, value: Code): Code => [address, value, 0x38, 2, 0],
  loadVector: (address: Code, offset: number): Code => load(0, address, offset),
  zeroVector: (): Code => [SIMD, 12, new Array<number>(16).fill(0)],
  lane: (vector: Code, index: number): Code => [vector, SIMD, 0x1f, index],
  addFloats: (a: Code, b: Code): Code => [a, b, 0x92],
  addVectors: (a: Code, b: Code): Code => [a, b, SIMD, unsigned(0xe4)],
  /** a * b + c, fused where the processor can (relaxed SIMD). */
  multiplyAdd: (a: Code, b: Code, c: Code): Code => [a, b, c, SIMD, unsigned(0x105)],
  /** Repeats `body` until `local`, which it advances, is no longer below `end`; runs at least once. */
  repeatWhileBelow: (local: number, end: number, body: Code): Code => [
    [0x03, 0x40, body],
    [op.get(local), op.get(end), 0x49, 0x0d, 0],
    0x0b,
  ],
}

/** A module that imports its memory as `env.memory` and exports `functions`. */
export function assembleModule(functions: readonly WasmFunction[]): WebAssembly.Module {
  const text = (value: string) => [value.length, ...Buffer.from(value, 'latin1')]
  const list = (entries: readonly Code[]): Code => [unsigned(entries.length), entries]
  const sized = (content: Code): Code => {
    const bytes = flatten(content)
    return [unsigned(bytes.length), bytes]
  }
  const section = (id: number, content: Code): Code => [id, sized(content)]
  const types = functions.map((f) => [0x60, list(new Array<Code>(f.parameters).fill([I32])), 0])
  const bodies = functions.map((f) =>
    sized([2, unsigned(f.integers), I32, unsigned(f.vectors), V128, f.body, 0x0b]),
  )
  const bytes = flatten([
    [0x00, 0x61, 0x73, 0x6d, 1, 0, 0, 0],
    section(1, list(types)),
    section(2, list([[text('env'), text('memory'), 2, 0, 1]])),
    section(3, list(functions.map((_, index) => [index]))),
    section(7, list(functions.map((f, index) => [text(f.name), 0, index]))),
    section(10, list(bodies)),
  ])
  return new WebAssembly.Module(Uint8Array.from(bytes))
}

function flatten(code: Code): number[] {
  return (code as number[]).flat(Number.POSITIVE_INFINITY)
}
