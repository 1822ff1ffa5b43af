import type { Model } from '../domain/model.ts'
import type { Extraction } from './extraction-schema.ts'
import type { Profile } from './schema.ts'

/** A model of the profile with what embeds under it. */
export type DeclaredModel = { readonly model: Model; readonly extraction: Extraction }

/** What is wrong with the models of a profile taken together. */
export function findModelProblems({ model, models }: Pick<Profile, 'model' | 'models'>): {
  path: (string | number)[]
  message: string
}[] {
  const labels = [model, ...models].map(({ name, version }) => `${name}@${version}`)
  return labels.flatMap((label, at) =>
    labels.indexOf(label) === at
      ? []
      : [{ path: ['models', at - 1, 'name'], message: `the model ${label} is declared twice` }],
  )
}
