import { resolve } from 'node:path'
import { digestOf } from '../domain/canonical-json.ts'
import { fingerprintOf, type Model } from '../domain/model.ts'
import type { DeclaredModel } from './models.ts'
import type { Profile } from './schema.ts'

/** The digest of the files of a model, found in a directory or in a repository. Raises `not-found`. */
export type DigestFiles = (root: string, model: Model) => Promise<string>

/**
 * The profile in which each ONNX model without a fingerprint of its own is known by the digest of its files, so that other files in
 * the same directory are another model. Raises `not-found` where there are none.
 */
export async function identifyOnnxModels(profile: Profile, digestFiles: DigestFiles): Promise<Profile> {
  const { model, extraction } = profile
  const models = profile.models.map(async ({ extraction: own, ...declared }) => ({
    ...(await identify({ model: declared, extraction: own }, digestFiles)),
    extraction: own,
  }))
  return {
    ...profile,
    model: await identify({ model, extraction }, digestFiles),
    models: await Promise.all(models),
  }
}

async function identify({ model, extraction }: DeclaredModel, digestFiles: DigestFiles): Promise<Model> {
  const { fingerprint, ...declared } = model
  const { onnx, output } = extraction
  if (onnx === undefined || fingerprint !== fingerprintOf(declared)) return model
  const files = await digestFiles(resolve(onnx), model)
  const { dimensions, metric, normalized } = declared
  return { ...model, fingerprint: digestOf({ files, dimensions, metric, normalized, output }) }
}
