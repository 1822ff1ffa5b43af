import type { Content } from './content.ts'

/** 32 x 32 pixels of a colour gradient as PNG. */
const IMAGE =
  'iVBORw0KGgoAAAANSUhEUgAAACAAAAAgCAIAAAD8GO2jAAAAe0lEQVR42rXNERfCUBgA0O/ZwzAcDsMwHIbDcDgcPgyHw3AYhmE4HIbDMNyvuOdcvymi5AgnRdbBQQdHHVQ6qHVw0sFZBxcdNDq46qDVwU0HnQ56HQw6KDq462DUwaSDhw5mHTx18NLBWwcfHSw6WHXw1cGmg58O/jbYARzfPqF3HHsQAAAAAElFTkSuQmCC'

/** A content that every model can embed: a server that refuses it too is at fault itself. */
export function makeControl(kind: Content['kind']): Content {
  if (kind === 'text') return { kind, text: 'Is anybody there?' }
  return { kind, bytes: Buffer.from(IMAGE, 'base64'), mediaType: 'image/png' }
}
