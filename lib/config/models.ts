import { LongshoreError } from '../domain/errors.ts'
import type { Model } from '../domain/model.ts'
import type { Extraction } from './extraction-schema.ts'
import type { Profile } from './schema.ts'

/** A model of the profile with what embeds under it. */
export type DeclaredModel = { readonly model: Model; readonly extraction: Extraction }

/** Every model of the profile, that of new splits first. */
export function listModels({
  model,
  extraction,
  models,
}: Pick<Profile, 'model' | 'extraction' | 'models'>): DeclaredModel[] {
  return [
    { model, extraction },
    ...models.map(({ extraction: other, ...declared }) => ({ model: declared, extraction: other })),
  ]
}

/** The model that an operator names, as `NAME` or `NAME@VERSION`. Raises `not-found` and, where several fit, `usage`. */
export function findDeclaredModel(
  profile: Pick<Profile, 'model' | 'extraction' | 'models'>,
  asked: string,
): DeclaredModel {
  const declared = listModels(profile)
  const found = declared.filter(({ model }) => asked === model.name || asked === labelOf(model))
  if (found.length === 1) return found[0]!
  const known = declared.map(({ model }) => labelOf(model)).join(', ')
  if (found.length > 1) {
    throw new LongshoreError('usage', `model ${asked}: several versions are declared (${known})`, {
      hint: 'name one with its version, as NAME@VERSION',
    })
  }
  throw new LongshoreError('not-found', `model ${asked}: not declared in the profile, which has ${known}`, {
    hint: 'declare it under models in the profile',
  })
}

/** What the profile declares for the model of a generation; undefined when it declares none of its fingerprint. */
export function findModelOf(
  profile: Pick<Profile, 'model' | 'extraction' | 'models'>,
  { fingerprint }: Pick<Model, 'fingerprint'>,
): DeclaredModel | undefined {
  return listModels(profile).find(({ model }) => model.fingerprint === fingerprint)
}

/** What is wrong with the models of a profile taken together. */
export function findModelProblems(
  profile: Pick<Profile, 'model' | 'extraction' | 'models'>,
): { path: (string | number)[]; message: string }[] {
  const labels = listModels(profile).map(({ model }) => labelOf(model))
  return labels.flatMap((label, at) =>
    labels.indexOf(label) === at
      ? []
      : [{ path: ['models', at - 1, 'name'], message: `the model ${label} is declared twice` }],
  )
}

function labelOf({ name, version }: Model): string {
  return `${name}@${version}`
}
