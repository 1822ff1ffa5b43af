import { countItems, type Manifest } from './manifest.ts'

/** What a gallery is known by from outside: model, dimensions and number of items, by the words of FindFace. */
export type GalleryCounts = {
  readonly emben_model: string
  readonly emben_size: number
  readonly objects: number
}

/** The counts of the gallery that a generation holds. */
export function countGallery(manifest: Pick<Manifest, 'model' | 'clusters'>): GalleryCounts {
  const { name, dimensions } = manifest.model
  return { emben_model: name, emben_size: dimensions, objects: countItems(manifest) }
}

/** Counts for people, before and after a migration. */
export function describeCounts(before: GalleryCounts, after: GalleryCounts): string {
  return `${describeGallery(before)} -> ${describeGallery(after)}`
}

/** One side of these. */
export function describeGallery({ emben_model, emben_size, objects }: GalleryCounts): string {
  return `${objects} objects under ${emben_model} (${emben_size})`
}
