import { styleText } from 'node:util'

export type Colour = 'green' | 'red' | 'yellow' | 'dim' | 'bold'
/** Colours a text, or leaves it as it is where colours are unwanted. */
export type Paint = (colour: Colour, text: string) => string

export const PLAIN: Paint = (_colour, text) => text

/** Colours for terminals only, and never against the operator's wish (https://no-color.org). */
export function createPaint(stream: { readonly isTTY?: boolean }): Paint {
  if (!stream.isTTY || process.env.NO_COLOR) return PLAIN
  return (colour, text) => styleText(colour, text, { validateStream: false })
}
