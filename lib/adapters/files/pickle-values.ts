/** Bytes of a pickle: a place in its file, or in memory where they had to be decoded. */
export type Payload = {
  readonly kind: 'bytes'
  readonly offset: number
  readonly length: number
  readonly inline?: Uint8Array
}
export type Global = { readonly kind: 'global'; readonly name: string }
/** A NumPy element type, such as `f4` with the byte order `<`. */
export type Dtype = { readonly kind: 'dtype'; readonly code: string; order: string }
/** A NumPy array: complete once its payload is known. */
export type PickledArray = {
  readonly kind: 'array'
  shape: readonly number[]
  dtype: Dtype | undefined
  fortran: boolean
  payload: Payload | undefined
}
export type Tuple = { readonly kind: 'tuple'; readonly items: readonly Value[] }
export type List = { readonly kind: 'list'; readonly items: Value[] }
export type Dict = { readonly kind: 'dict'; readonly entries: [Value, Value][] }
export type Instance = { readonly kind: 'instance'; readonly type: string; state: Value }

/** What a pickle of arrays may hold. */
export type Value =
  | string
  | number
  | boolean
  | null
  | Payload
  | Global
  | Dtype
  | PickledArray
  | Tuple
  | List
  | Dict
  | Instance

/** The kind of a value, or undefined for plain ones. */
export function kindOf(value: Value | undefined): string | undefined {
  return typeof value === 'object' && value !== null ? value.kind : undefined
}

/** How a value is told to the operator. */
export function describe(value: Value | undefined): string {
  if (typeof value === 'object' && value !== null) {
    return value.kind === 'global' ? value.name : `a value of kind ${value.kind}`
  }
  return JSON.stringify(value)?.slice(0, 80) ?? 'nothing'
}

export function isArray(value: Value | undefined): value is PickledArray {
  return kindOf(value) === 'array'
}

/** The numbers per row of an array of one row, [d] or [1, d]; undefined for other shapes. */
export function rowLength({ shape }: PickledArray): number | undefined {
  if (shape.length === 1) return shape[0]
  return shape.length === 2 && shape[0] === 1 ? shape[1] : undefined
}
