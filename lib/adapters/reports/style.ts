import { Html } from './html.ts'

/** The look of a report: light and dark by the reader's setting, one column on a telephone. */
export const STYLE = new Html(`
:root { color-scheme: light dark; --ink: #1b1f24; --paper: #fff; --faint: #5b636d; --rule: #d5dae0; --card: #f6f8fa;
  --before: #2f6fb0; --after: #c2571a; --bad: #b3261e; --good: #1a7f37 }
@media (prefers-color-scheme: dark) { :root { --ink: #e6e9ee; --paper: #12151a; --faint: #9aa4b0; --rule: #343b45;
  --card: #1b2027; --before: #6cb0ee; --after: #f2965a; --bad: #ff8a80; --good: #5fd37f } }
* { box-sizing: border-box }
body { margin: 0 auto; padding: 1rem; max-width: 64rem; background: var(--paper); color: var(--ink);
  font: 1rem/1.5 system-ui, sans-serif; overflow-wrap: anywhere }
h1 { font-size: 1.4rem; line-height: 1.25; margin: 0 0 .25rem }
h2 { font-size: 1.05rem; margin: 2rem 0 .5rem }
h3 { font-size: .9rem; margin: 0; color: var(--faint); font-weight: 600 }
p { margin: .25rem 0; max-width: 46rem }
.faint { color: var(--faint); font-size: .9rem }
.charts { display: grid; gap: 1rem; grid-template-columns: repeat(auto-fit, minmax(min(100%, 20rem), 1fr)) }
figure { margin: 0; padding: .75rem; background: var(--card); border: 1px solid var(--rule); border-radius: .5rem }
figure.wide { max-width: 40rem }
svg { display: block; width: 100%; height: auto }
svg text { font: 11px system-ui, sans-serif; fill: var(--faint) }
.axis { fill: none; stroke: var(--rule) }
.line { fill: none; stroke-width: 1.5; stroke: var(--after) }
.area { fill-opacity: .45; stroke-width: 1 }
.area.pairs { fill: var(--faint); stroke: var(--faint) }
.area.before { fill: var(--before); stroke: var(--before) }
.area.after { fill: var(--after); stroke: var(--after) }
circle.before { fill: var(--before) } circle.after { fill: var(--after) }
.moved { stroke: var(--faint); stroke-opacity: .6; stroke-width: .75 }
.threshold { stroke: var(--ink); stroke-dasharray: 3 3 }
.key::before { content: ""; display: inline-block; width: .7em; height: .7em; border-radius: 50%; margin-right: .35em;
  background: var(--faint) }
.key.before::before { background: var(--before) } .key.after::before { background: var(--after) }
.key { margin-right: 1em; white-space: nowrap }
.scroll { overflow-x: auto }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; font-size: .9rem; min-width: 100% }
th, td { text-align: left; padding: .3rem .75rem .3rem 0; border-bottom: 1px solid var(--rule); vertical-align: top }
th { color: var(--faint); font-weight: 600 }
.bad { color: var(--bad) } .good { color: var(--good) }
`)
