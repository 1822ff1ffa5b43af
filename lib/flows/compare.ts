import type { Comparison, Drift, Quality } from '../domain/comparison.ts'
import type { Manifest } from '../domain/manifest.ts'
import { measureDrift } from '../domain/rank-drift.ts'
import { bootstrapMean, type Judgements, measureRanking } from '../domain/rank-quality.ts'
import { type MovedThreshold, measureKept } from '../domain/score-threshold.ts'
import type { FoundItem } from '../ports/generation-search.ts'
import type { Context } from './context.ts'
import { findModelOf } from './declared-models.ts'
import { embedTexts } from './split-embedding.ts'

/** How many answers to a query count. */
export const DEPTH = 10

/** A query, and what it should find. */
export type Question = { readonly text: string; readonly judgements: Judgements }

export type CompareContext = Pick<
  Context,
  'profile' | 'generationSearch' | 'embedder' | 'embedderOf' | 'signal'
>
type Pair = { readonly before: Manifest; readonly after: Manifest }
export type CompareRequest = Pair & {
  readonly questions: readonly Question[]
  readonly threshold?: MovedThreshold | undefined
}

/**
 * Asks two generations the same, each under its own model and by exact search, so that nothing but the models is compared.
 * Raises what embedders raise.
 */
export async function compareGenerations(
  context: CompareContext,
  { before, after, questions, threshold }: CompareRequest,
): Promise<Comparison> {
  const { queries } = await context.generationSearch.readGolden(before)
  const samples = queries.flatMap(({ text }) => (text === undefined ? [] : [text]))
  const texts = [...questions.map(({ text }) => text), ...samples]
  const [former, later] = [await ask(context, before, texts), await ask(context, after, texts)]
  const count = questions.length
  const [old, young] = [measureQuality(questions, former), measureQuality(questions, later)]
  return {
    judged: old?.count ?? 0,
    ...(old && young && { quality: { before: old.quality, after: young.quality } }),
    ...(old &&
      threshold && {
        kept: {
          before: measureKept(threshold.before.score, join(questions, former)),
          after: measureKept(threshold.after.score, join(questions, later)),
        },
      }),
    ...(samples.length > 0 && { drift: measureDrifts(former.slice(count), later.slice(count)) }),
  }
}

/** The best items of a generation for each text, best first. */
async function ask(
  context: CompareContext,
  manifest: Manifest,
  texts: readonly string[],
): Promise<FoundItem[][]> {
  if (texts.length === 0) return []
  const { profile, generationSearch, signal } = context
  const declared = findModelOf(profile, manifest.model)
  const embedder = declared ? await context.embedderOf(declared) : context.embedder
  const queries = await embedTexts(texts, embedder, signal)
  return await generationSearch.search(manifest, queries, { k: DEPTH, signal })
}

function join(questions: readonly Question[], answers: Answers) {
  return questions.map(({ judgements }, index) => ({ found: answers[index]!, judgements }))
}

type Answers = readonly (readonly FoundItem[])[]

function measureQuality(
  questions: readonly Question[],
  answers: Answers,
): { readonly count: number; readonly quality: Quality } | undefined {
  const measured = questions.flatMap(
    ({ judgements }, index) => measureRanking(idsOf(answers[index]!), judgements, DEPTH) ?? [],
  )
  if (measured.length === 0) return undefined
  const quality = {
    recall: bootstrapMean(measured.map(({ recall }) => recall)),
    ndcg: bootstrapMean(measured.map(({ ndcg }) => ndcg)),
    mrr: bootstrapMean(measured.map(({ reciprocalRank }) => reciprocalRank)),
  }
  return { count: measured.length, quality }
}

function measureDrifts(before: Answers, after: Answers): Drift {
  const drifts = before.map((found, index) => measureDrift(idsOf(found), idsOf(after[index]!), DEPTH))
  return {
    queries: drifts.length,
    overlap: meanOf(drifts.map(({ overlap }) => overlap)),
    rbo: meanOf(drifts.map(({ rbo }) => rbo)),
    tau: meanOf(drifts.flatMap(({ tau }) => tau ?? [])),
  }
}

function idsOf(found: readonly FoundItem[]): string[] {
  return found.map(({ id }) => id)
}

function meanOf(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / Math.max(1, values.length)
}
