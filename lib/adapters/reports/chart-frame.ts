import { type Html, type HtmlValue, html } from './html.ts'

/** Where a chart is drawn: a small one keeps its words legible on a telephone. */
export const [WIDTH, HEIGHT] = [360, 220]
const EDGE = { left: 44, right: 10, top: 10, bottom: 34 }

export type Range = { readonly from: number; readonly to: number }

/** Places of values on a chart. */
export type Scale = { x(value: number): number; y(value: number): number }

export function createScale(x: Range, y: Range): Scale {
  return {
    x: (value) => EDGE.left + share(value, x) * (WIDTH - EDGE.left - EDGE.right),
    y: (value) => HEIGHT - EDGE.bottom - share(value, y) * (HEIGHT - EDGE.top - EDGE.bottom),
  }
}

export type FrameOptions = {
  /** What it shows, for those who cannot see it. */
  readonly title: string
  readonly x: Range & { readonly label: string }
  readonly y: Range & { readonly label: string }
}

/** A chart with its axes; `marks` are drawn in it. */
export function renderFrame({ title, x, y }: FrameOptions, marks: HtmlValue): Html {
  const [left, right] = [EDGE.left, WIDTH - EDGE.right]
  const [top, bottom] = [EDGE.top, HEIGHT - EDGE.bottom]
  return html`<svg viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img" aria-label="${title}">
<path class="axis" d="M${left} ${top}V${bottom}H${right}"/>
${marks}
<text x="${left}" y="${bottom + 13}">${tick(x.from)}</text>
<text x="${right}" y="${bottom + 13}" text-anchor="end">${tick(x.to)}</text>
<text x="${(left + right) / 2}" y="${bottom + 27}" text-anchor="middle">${x.label}</text>
<text x="${left - 4}" y="${bottom}" text-anchor="end">${tick(y.from)}</text>
<text x="${left - 4}" y="${top + 9}" text-anchor="end">${tick(y.to)}</text>
<text transform="translate(${left - 8} ${(top + bottom) / 2}) rotate(-90)" text-anchor="middle">${y.label}</text>
</svg>`
}

/** A coordinate with as many digits as can be seen. */
export function place(value: number): string {
  return String(Number(value.toFixed(1)))
}

function share(value: number, { from, to }: Range): number {
  return to === from ? 0 : (value - from) / (to - from)
}

function tick(value: number): string {
  return String(Number(value.toPrecision(3)))
}
