import {
  type Dict,
  type Dtype,
  describe,
  type Global,
  type Instance,
  kindOf,
  type Payload,
  type PickledArray,
  type Tuple,
  type Value,
} from './pickle-values.ts'

/** Raises `corrupt` naming the file and the place of the opcode at hand. */
export type Fail = (what: string) => never

type Make = (args: readonly Value[], fail: Fail) => Value

const MAKERS: Readonly<Record<string, Make>> = {
  'numpy.multiarray._reconstruct': makeArray,
  'numpy.multiarray.scalar': ([dtype, payload], fail) =>
    fillArray(makeArray(), [[], dtype ?? null, false, payload ?? null], fail),
  'numpy.numeric._frombuffer': ([payload, dtype, shape, order], fail) =>
    fillArray(makeArray(), [readTuple(shape, fail), dtype ?? null, order === 'F', payload ?? null], fail),
  'numpy.dtype': ([code], fail): Dtype =>
    typeof code === 'string'
      ? { kind: 'dtype', code, order: '<' }
      : fail(`expected the code of an element type, found ${describe(code)}`),
  '_codecs.encode': ([text], fail) => makePayload(text, fail),
  'builtins.bytearray': ([content], fail) => makePayload(content ?? '', fail),
  'builtins.bytes': ([content], fail) => makePayload(content ?? '', fail),
  'collections.OrderedDict': (): Dict => ({ kind: 'dict', entries: [] }),
}
const PLAIN_TYPES = new Set(['numpy.ndarray'])
const FAISS_FLAT = /^faiss\.swigfaiss\w*\.IndexFlat(L2|IP)?$/

/** The global of that name when the allow-list has it. Raises `corrupt` naming any other: nothing is ever executed. */
export function allowGlobal(module: string, name: string, fail: Fail): Global {
  const known = `${module
    .replace(/^numpy\._?core\.(multiarray|numeric)$/, 'numpy.$1')
    .replace(/^__builtin__$/, 'builtins')}.${name}`
  if (Object.hasOwn(MAKERS, known) || PLAIN_TYPES.has(known) || FAISS_FLAT.test(known)) {
    return { kind: 'global', name: known }
  }
  return fail(`${module}.${name} is not allowed; pickles are parsed, never executed`)
}

/** What calling an allowed global stands for. */
export function applyGlobal(callee: Value | undefined, args: Value | undefined, fail: Fail): Value {
  const { name } = readGlobal(callee, fail)
  const make = Object.hasOwn(MAKERS, name) ? MAKERS[name] : undefined
  return make ? make(readTuple(args, fail), fail) : fail(`${name} cannot be called`)
}

/** A new object of an allowed class: the indexes of faiss alone. */
export function makeInstance(callee: Value | undefined, fail: Fail): Instance {
  const { name } = readGlobal(callee, fail)
  if (!FAISS_FLAT.test(name)) fail(`objects of ${name} are not allowed`)
  return { kind: 'instance', type: name, state: null }
}

/** Gives an object its state, as `__setstate__` would. */
export function applyState(target: Value | undefined, state: Value, fail: Fail): void {
  const kind = kindOf(target)
  if (kind === 'instance') {
    ;(target as Instance).state = state
  } else if (kind === 'dtype') {
    const [, order, subtype] = readTuple(state, fail)
    if (typeof order !== 'string' || subtype !== null) fail('expected the state of a plain element type')
    ;(target as Dtype).order = String(order)
  } else if (kind === 'array') {
    fillArray(target as PickledArray, readTuple(state, fail).slice(-4), fail)
  } else {
    fail(`${describe(target)} takes no state`)
  }
}

function makeArray(): PickledArray {
  return { kind: 'array', shape: [], dtype: undefined, fortran: false, payload: undefined }
}

function fillArray(array: PickledArray, state: readonly Value[] | unknown[], fail: Fail): PickledArray {
  const [shape, dtype, fortran, content] = state as Value[]
  const lengths = Array.isArray(shape) ? (shape as Value[]) : readTuple(shape, fail)
  if (!lengths.every((length) => Number.isSafeInteger(length) && (length as number) >= 0)) {
    fail('expected the lengths of an array')
  }
  if (kindOf(dtype) !== 'dtype') fail(`expected an element type, found ${describe(dtype)}`)
  if (content === null || (kindOf(content) !== 'bytes' && typeof content !== 'string')) {
    fail('an array of Python objects is not allowed')
  }
  const payload = kindOf(content) === 'bytes' ? (content as Payload) : makePayload(content, fail)
  array.shape = lengths as number[]
  array.dtype = dtype as Dtype
  array.fortran = fortran === true && lengths.length > 1
  array.payload = payload
  const expected = array.shape.reduce((product, length) => product * length, itemBytes(array.dtype, fail))
  if (payload.length !== expected) {
    fail(`an array of shape (${array.shape.join(', ')}) has ${payload.length} bytes, expected ${expected}`)
  }
  return array
}

function itemBytes({ code }: Dtype, fail: Fail): number {
  const bytes = /^[biuf]([1248])$/.exec(code)?.[1]
  return bytes === undefined ? fail(`the element type ${JSON.stringify(code)} is not allowed`) : Number(bytes)
}

/** Bytes that old protocols wrote as a text of the characters 0 to 255. */
function makePayload(content: Value | undefined, fail: Fail): Payload {
  if (kindOf(content) === 'bytes') return content as Payload
  if (typeof content !== 'string') return fail(`expected bytes, found ${describe(content)}`)
  const inline = Buffer.from(content, 'latin1')
  if (inline.toString('latin1') !== content) fail('expected bytes, found a text with other characters')
  return { kind: 'bytes', offset: -1, length: inline.length, inline }
}

function readTuple(value: Value | undefined, fail: Fail): readonly Value[] {
  return kindOf(value) === 'tuple'
    ? (value as Tuple).items
    : fail(`expected a tuple, found ${describe(value)}`)
}

function readGlobal(value: Value | undefined, fail: Fail): Global {
  return kindOf(value) === 'global' ? (value as Global) : fail(`expected a class, found ${describe(value)}`)
}
