import { LongshoreError } from './errors.ts'
import type { Model } from './model.ts'
import { markOfModel } from './service.ts'

/** Where a model lies in an image that was made for it. */
export const MODEL_PLACE = '/model'

/**
 * The name of the services' image with a model in it: `NAME:TAG-<8 hex digits>`, so that another model, or other services, are
 * another image. Raises `usage` for an image without a tag.
 */
export function modelImageName(image: string, model: Pick<Model, 'fingerprint'>): string {
  if (!image.includes('@') && /:[\w.-]+$/.test(image)) return `${image}-${markOfModel(model)}`
  throw new LongshoreError(
    'usage',
    `swarm.image: expected NAME:TAG, by which images of models are called too, found ${image}`,
    { hint: 'npx zx scripts/image.mjs --profile FILE prints the name' },
  )
}
