import { GOLDEN_K } from './golden.ts'
import { atLeast, atMost, type GateLimits, type GateResult } from './quality.ts'
import { clustersOf, type FoundHit } from './recall.ts'
import type { ShardKind } from './shard-search.ts'

/** What was measured on the files of one shard. */
export type ShardFacts = {
  readonly cluster: number
  /** Rows, and those of them that are no copies of items of other shards. */
  readonly items: number
  readonly own: number
  /** Rows that hold NaN or infinity, and the first of them, from 0. */
  readonly nonFinite: number
  readonly firstNonFinite: number | null
  /** Largest deviation of a row's norm from 1, and where. */
  readonly normDeviation: number
  readonly normRow: number
  /** Rows, copies left out, whose nearest centroid is their own shard's. */
  readonly atHome: number
}

/** How well a shard is searched that is not searched exactly; measured as it will be searched. */
export type SearchFacts = {
  readonly cluster: number
  readonly kind: ShardKind
  /** Recall@10 against exact search within the shard. */
  readonly recall: number
}

/** Everything that gates are judged by. */
export type Findings = {
  readonly shards: readonly ShardFacts[]
  /** Of the shards that are not searched exactly. */
  readonly searches: readonly SearchFacts[]
  readonly files: number
  readonly bytes: number
  readonly normalized: boolean
  readonly repeatedIds: number
  /** Items whose text an item before them has too. */
  readonly repeatedTexts: number
  readonly nprobe: number
  readonly recall: number
  readonly golden: Expectations
  /** Share of the input's rows that were dropped or merged, as told when it was split. */
  readonly rejects: number
  readonly parent: { readonly name: string; readonly items: number } | null
  readonly model: ModelCheck
}

/** Golden queries that found again what is stored, and the user's own pairs that were met; null where not asked. */
export type Expectations = {
  readonly queries: number
  readonly foundAgain: number
  readonly pairs: number
  readonly met: number | null
}

/** Mean cosine between stored and fresh embeddings of the same texts, or why it is not known. */
export type ModelCheck = { readonly cosine: number; readonly detail: string }

/** The verdict of every gate, in the order in which gates are shown. */
export function judge(findings: Findings, limits: GateLimits): GateResult[] {
  const { shards, recall, nprobe, rejects, model } = findings
  const items = sum(shards, (shard) => shard.own)
  return [
    atMost('integrity', 0, 0, `${findings.files} files, ${findings.bytes} bytes as in the manifest`),
    judgeFinite(shards),
    judgeNorms(shards, findings.normalized, limits.norms),
    atMost('uniqueIds', findings.repeatedIds, 0),
    judgeSelfRouting(shards, items, limits.selfRouting),
    atLeast('recall', recall, limits.recall, `asking ${nprobe} of ${shards.length} clusters`),
    judgeSearch(findings.searches, limits.search),
    judgeGolden(findings.golden, limits.golden),
    atMost('duplicates', items === 0 ? 0 : findings.repeatedTexts / items, limits.duplicates),
    atMost('rejects', rejects, limits.rejects),
    judgeSizeChange(items, findings.parent, limits.sizeChange),
    atLeast('model', model.cosine, limits.model, model.detail),
  ]
}

function judgeFinite(shards: readonly ShardFacts[]): GateResult {
  const worst = shards.find((shard) => shard.nonFinite > 0)
  const detail = worst && `first in clust_${worst.cluster}, row ${worst.firstNonFinite}`
  return atMost(
    'finiteValues',
    sum(shards, (shard) => shard.nonFinite),
    0,
    detail,
  )
}

function judgeNorms(shards: readonly ShardFacts[], normalized: boolean, limit: number): GateResult {
  if (!normalized) return atMost('norms', 0, limit, 'the model does not promise unit length')
  const worst = shards.reduce((a, b) => (b.normDeviation > a.normDeviation ? b : a))
  const detail = `worst in clust_${worst.cluster}, row ${worst.normRow}`
  return atMost('norms', worst.normDeviation, limit, detail)
}

function judgeSelfRouting(shards: readonly ShardFacts[], items: number, limit: number): GateResult {
  const share = (shard: ShardFacts) => (shard.own === 0 ? 1 : shard.atHome / shard.own)
  const worst = shards.reduce((a, b) => (share(b) < share(a) ? b : a))
  const each = shards.map((shard) => `clust_${shard.cluster} ${percent(share(shard))}`)
  const shown = each.length <= 8 ? ` (${each.join(', ')})` : ''
  const detail = `worst: clust_${worst.cluster} ${percent(share(worst))}${shown}`
  const measured = items === 0 ? 1 : sum(shards, (shard) => shard.atHome) / items
  return atLeast('selfRouting', measured, limit, detail)
}

function judgeSearch(searches: readonly SearchFacts[], limit: number): GateResult {
  if (searches.length === 0) return atLeast('search', 1, limit, 'every shard is searched exactly')
  const worst = searches.reduce((a, b) => (b.recall < a.recall ? b : a))
  return atLeast('search', worst.recall, limit, `worst: clust_${worst.cluster}, ${worst.kind}`)
}

function judgeGolden({ queries, foundAgain, pairs, met }: Expectations, limit: number): GateResult {
  const again = queries === 0 ? 1 : foundAgain / queries
  const own = pairs === 0 || met === null ? 1 : met / pairs
  const told = met === null && pairs > 0 ? 'not asked: nothing embeds them' : `${met ?? 0} met`
  const detail = `${foundAgain} of ${queries} sampled queries found again${pairs > 0 ? `; own pairs: ${pairs}, ${told}` : ''}`
  return atLeast('golden', Math.min(again, own), limit, detail)
}

function judgeSizeChange(items: number, parent: Findings['parent'], limit: number): GateResult {
  if (!parent) return atMost('sizeChange', 0, limit, 'no generation before it to compare with')
  const change = Math.abs(items - parent.items) / Math.max(1, parent.items)
  return atMost('sizeChange', change, limit, `${parent.items} items in ${parent.name}, ${items} now`)
}

/** Whether a user's own pair is met: its item is among the first ten that the asked clusters hold. */
export function isPairMet(id: string, found: readonly FoundHit[], asked: ReadonlySet<number>): boolean {
  return found
    .filter((hit) => clustersOf(hit).some((cluster) => asked.has(cluster)))
    .slice(0, GOLDEN_K)
    .some((hit) => hit.id === id)
}

/** The measured value of every gate by its name, as a manifest keeps them. */
export function summarize(results: readonly GateResult[]): Record<string, number> {
  return Object.fromEntries(results.map(({ name, measured }) => [name, measured]))
}

function sum<T>(values: readonly T[], read: (value: T) => number): number {
  return values.reduce((total, value) => total + read(value), 0)
}

function percent(share: number): string {
  return `${(share * 100).toFixed(1)} %`
}
