import { resolve } from 'node:path'
import type { DeclaredModel } from '../config/models.ts'
import type { Profile } from '../config/schema.ts'
import { LongshoreError } from '../domain/errors.ts'
import type { Model } from '../domain/model.ts'

type Models = Pick<Profile, 'model' | 'extraction' | 'models'>

/** Every model of the profile, that of new splits first. */
export function listModels({ model, extraction, models }: Models): DeclaredModel[] {
  return [
    { model, extraction },
    ...models.map(({ extraction: other, ...declared }) => ({ model: declared, extraction: other })),
  ]
}

/** Models whose files our own extraction services are given, with the directory or repository that holds them. */
export function listOnnxModels(profile: Models): { readonly model: Model; readonly root: string }[] {
  return listModels(profile).flatMap(({ model, extraction: { onnx } }) =>
    onnx === undefined ? [] : [{ model, root: resolve(onnx) }],
  )
}

/** The model that an operator names, as `NAME` or `NAME@VERSION`. Raises `not-found` and, where several fit, `usage`. */
export function findDeclaredModel(profile: Models, asked: string | undefined): DeclaredModel {
  const declared = listModels(profile)
  const known = declared.map(({ model }) => labelOf(model)).join(', ')
  if (asked === undefined)
    throw new LongshoreError('usage', `--model NAME: missing; the profile has ${known}`)
  const found = declared.filter(({ model }) => asked === model.name || asked === labelOf(model))
  if (found.length === 1) return found[0]!
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
  profile: Models,
  { fingerprint }: Pick<Model, 'fingerprint'>,
): DeclaredModel | undefined {
  return listModels(profile).find(({ model }) => model.fingerprint === fingerprint)
}

/** How an operator names a model. */
export function labelOf({ name, version }: Model): string {
  return `${name}@${version}`
}
