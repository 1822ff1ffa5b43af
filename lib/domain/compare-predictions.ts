type Prediction = Readonly<Record<string, unknown>>

/** What two servers answered to one request. */
export type AnswerPair = {
  readonly source: { readonly tookMs: number; readonly predictions: readonly Prediction[] }
  readonly target: {
    readonly tookMs: number
    readonly predictions: readonly Prediction[]
    readonly problem?: string
  }
}

export type CompareLimits = {
  /** Share of the items at least that both answer alike. */
  readonly agreement: number
  /** Mean difference at most: of the probability of the first class, or 1 less the cosine of the values. */
  readonly scoreDelta: number
  /** Median time at most, compared with the source's. */
  readonly latencyRatio: number
}

export type Comparison = {
  readonly items: number
  readonly agreement: number
  readonly meanDelta: number
  readonly worstDelta: number
  readonly sourceMs: number
  readonly targetMs: number
}

/** Below this, times are those of the line and of other work, not of models. */
const UNMEASURED_MS = 20

/** Compares answers item by item; an item that the target does not answer is not alike, with the worst difference. */
export function comparePredictions(pairs: readonly AnswerPair[], { scoreDelta }: CompareLimits): Comparison {
  const items = pairs.flatMap(({ source, target }) =>
    source.predictions.map((one, at) => compareItem(one, target.predictions[at], scoreDelta)),
  )
  const deltas = items.map(({ delta }) => delta)
  return {
    items: items.length,
    agreement: items.filter(({ isAlike }) => isAlike).length / Math.max(1, items.length),
    meanDelta: deltas.reduce((sum, delta) => sum + delta, 0) / Math.max(1, deltas.length),
    worstDelta: Math.max(0, ...deltas),
    sourceMs: medianOf(pairs.map(({ source }) => source.tookMs)),
    targetMs: medianOf(pairs.map(({ target }) => target.tookMs)),
  }
}

/** Which limits a comparison breaks, one sentence each. */
export function findCompareProblems(found: Comparison, limits: CompareLimits): string[] {
  const { items, agreement, meanDelta, sourceMs, targetMs } = found
  if (items === 0) return ['nothing was answered that could be compared']
  const problems: string[] = []
  if (agreement < limits.agreement) {
    problems.push(`${render(agreement)} of ${items} items are answered alike, expected ${limits.agreement}`)
  }
  if (meanDelta > limits.scoreDelta) {
    problems.push(`scores differ by ${render(meanDelta)} in the mean, expected ${limits.scoreDelta} at most`)
  }
  if (targetMs > limits.latencyRatio * sourceMs && targetMs > sourceMs + UNMEASURED_MS) {
    problems.push(
      `an answer takes ${Math.round(targetMs)} ms instead of ${Math.round(sourceMs)} ms, expected ${limits.latencyRatio} times as long at most`,
    )
  }
  return problems
}

type Compared = { readonly isAlike: boolean; readonly delta: number }

function compareItem(source: Prediction, target: Prediction | undefined, limit: number): Compared {
  if (!target) return { isAlike: false, delta: 1 }
  if (Array.isArray(source.vals)) {
    const delta = 1 - cosineOf(source.vals, target.vals)
    return { isAlike: delta <= limit, delta }
  }
  const [a, b] = [topOf(source), topOf(target)]
  if (a && b) return { isAlike: a.cat === b.cat, delta: Math.abs(a.prob - b.prob) }
  const isAlike = JSON.stringify(plain(source)) === JSON.stringify(plain(target))
  return { isAlike, delta: isAlike ? 0 : 1 }
}

/** The class that is named first, as the API orders them. */
function topOf({ classes }: Prediction): { readonly cat: string; readonly prob: number } | undefined {
  const first: unknown = Array.isArray(classes) ? classes[0] : undefined
  if (typeof first !== 'object' || first === null) return undefined
  const { cat, prob = 0 } = first as Record<string, unknown>
  return { cat: String(cat), prob: Number(prob) }
}

/** 0 where there is nothing to compare, or another number of values. */
function cosineOf(a: readonly unknown[], b: unknown): number {
  if (!Array.isArray(b) || a.length !== b.length) return 0
  let [ab, aa, bb] = [0, 0, 0]
  for (const [at, value] of a.entries()) {
    const [x, y] = [Number(value), Number(b[at])]
    ab += x * y
    aa += x * x
    bb += y * y
  }
  if (aa === 0 && bb === 0) return 1
  const cosine = ab / Math.sqrt(aa * bb)
  return Number.isFinite(cosine) ? cosine : 0
}

function plain({ uri: _uri, last: _last, ...rest }: Prediction): object {
  return rest
}

function medianOf(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b)
  return sorted[Math.floor(sorted.length / 2)] ?? 0
}

function render(value: number): string {
  return String(Number(value.toFixed(4)))
}
