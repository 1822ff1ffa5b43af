import { mkdirSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import * as assert from 'uvu/assert'
import { makeRowGeneration, type RowGeneration, type SeededRow } from '../../../bench/delta/row-generation.ts'
import { applyPatch } from '../../../lib/adapters/delta/apply-patch.ts'
import { makePatch, type Patch } from '../../../lib/adapters/delta/make-patch.ts'
import type { RebuiltFile } from '../../../lib/adapters/relay/protocol.ts'
import type { Manifest } from '../../../lib/domain/manifest.ts'
import { makeTempDir } from '../../support/temp.ts'

export type World = {
  readonly base: Manifest
  readonly baseDirectory: string
  readonly manifest: Manifest
  readonly directory: string
  /** Where the patch comes to stand. */
  readonly target: string
  /** Empty: the generation as a node puts it together. */
  readonly partial: string
}

type Shape = Partial<Pick<RowGeneration, 'dimensions' | 'search' | 'goldenQueries'>>
type Clusters = readonly (readonly SeededRow[])[]

/** Two generations on disk, of these clusters. */
export function makeWorld(from: Clusters, to: Clusters, shape: Shape = {}, baseShape = shape): World {
  const root = makeTempDir()
  const base = makeRowGeneration(root, { dimensions: 16, ...baseShape, name: 'dg_1', clusters: from })
  const manifest = makeRowGeneration(root, { dimensions: 16, ...shape, name: 'dg_2', clusters: to })
  const partial = join(root, '.dg_2.partial')
  mkdirSync(partial)
  return {
    base,
    baseDirectory: join(root, 'dg_1'),
    manifest,
    directory: join(root, 'dg_2'),
    target: join(root, 'patch'),
    partial,
  }
}

export function make(
  world: World,
  signal = new AbortController().signal,
  options: { readonly windowRows?: number } = {},
): Promise<Patch | undefined> {
  return makePatch({ ...world, ...options, baseManifest: world.base, signal })
}

export function apply(world: World, signal = new AbortController().signal): Promise<RebuiltFile[]> {
  const { baseDirectory, target: patch, partial: directory, manifest } = world
  return applyPatch({ baseDirectory, patch, directory, manifest, signal })
}

/** Fails unless what was put together is the generation, file for file, and nothing else. */
export function assertWhole({ manifest, directory, partial }: World, reports: readonly RebuiltFile[]): void {
  assert.equal(
    reports,
    manifest.files.map(({ path }) => ({ path, problem: null })),
  )
  assert.equal(listFiles(partial), manifest.files.map(({ path }) => path).sort())
  for (const { path } of manifest.files) {
    assert.ok(readFileSync(join(directory, path)).equals(readFileSync(join(partial, path))), path)
  }
}

export function listFiles(directory: string): string[] {
  return readdirSync(directory, { withFileTypes: true, recursive: true })
    .filter((entry) => !entry.isDirectory())
    .map((entry) => join(entry.parentPath, entry.name).slice(directory.length + 1))
    .sort()
}
