const FORM = /^gallery, revision (\d+)\b/

/** The kind of input that a gallery is, as manifests keep it. */
export function renderGalleryKind(revision: number): string {
  return `gallery, revision ${revision}`
}

/** The revision of the gallery that a generation was made of; undefined where it was made of something else. */
export function readGalleryRevision({ kind }: { readonly kind: string }): number | undefined {
  const found = FORM.exec(kind)
  return found ? Number(found[1]) : undefined
}
