import { MultiBar, Presets, type SingleBar } from 'cli-progress'
import type { Progress } from '../../ports/reporter.ts'
import { renderAmount, renderDuration } from '../quantities.ts'

export type ProgressBars = {
  update(progress: Progress): void
  /** Writes text above bars that still move, or below those that are done. */
  write(text: string): void
  /** Leaves the bars as they stand. */
  stop(): void
}

/** Where a task stood when it was first heard of: `done` counts rows or bytes, `at` milliseconds. */
export type Start = { readonly done: number; readonly at: number }

/** Ends a line that may stand where a longer one, a bar, stood. */
const CLEAR_REST = '\u001b[K\n'

type Task = { readonly bar: SingleBar; readonly start: Start; isDone: boolean }

/**
 * A bar for each task, with rate and remaining time, and one for a whole of which there are several; a task whose total
 * is unknown only counts.
 */
export function createProgressBars(stream: NodeJS.WriteStream): ProgressBars {
  const tasks = new Map<string, Task>()
  const parts = new Map<string, Map<string, Progress>>()
  let bars: MultiBar | undefined

  function show(progress: Progress): void {
    const known = tasks.get(progress.task) ?? begin(progress)
    const { task, done, total } = progress
    known.isDone = total !== undefined && done >= total
    known.bar.setTotal(total ?? 1)
    known.bar.update(total === undefined ? 0 : done, { task, story: renderStory(progress, known.start) })
  }

  function showWhole(progress: Progress, whole: string): void {
    const own = parts.get(whole) ?? new Map<string, Progress>()
    parts.set(whole, own.set(progress.task, progress))
    if (own.size > 1) show(sumUp(whole, [...own.values()]))
  }

  function begin({ task, done, total }: Progress): Task {
    bars ??= new MultiBar(
      { stream, format: '  {task} {bar} {story}', barsize: 24, hideCursor: true, gracefulExit: false },
      Presets.shades_classic,
    )
    const bar = bars.create(total ?? 1, 0, { task, story: '' })
    const begun = { bar, start: { done, at: performance.now() }, isDone: false }
    tasks.set(task, begun)
    return begun
  }

  function stop(): void {
    // Writes out what log() still holds.
    bars?.update()
    bars?.stop()
    bars = undefined
    tasks.clear()
    parts.clear()
  }

  return {
    update(progress) {
      show(progress)
      if (progress.whole !== undefined) showWhole(progress, progress.whole)
    },
    write(text) {
      if (bars && [...tasks.values()].some(({ isDone }) => !isDone))
        return bars.log(text.replaceAll('\n', CLEAR_REST))
      stop()
      stream.write(text)
    },
    stop,
  }
}

/** The progress of something that consists of these; its total is known when all of theirs are. */
export function sumUp(task: string, parts: readonly Progress[]): Progress {
  const sum = (count: (part: Progress) => number) => parts.reduce((all, part) => all + count(part), 0)
  const isKnown = parts.every(({ total }) => total !== undefined)
  return {
    task,
    done: sum(({ done }) => done),
    saved: sum(({ saved = 0 }) => saved),
    total: isKnown ? sum(({ total = 0 }) => total) : undefined,
    unit: parts[0]?.unit ?? 'bytes',
  }
}

/** `120,000 rows of 400,000 rows, 61,000 rows/s, 4.6 s left`; what was there at the start does not count for the rate. */
export function renderStory(
  { done, saved = 0, total, unit }: Progress,
  start: Start,
  now: number = performance.now(),
): string {
  const rate = (1000 * (done - start.done)) / Math.max(1, now - start.at)
  const amount = `${renderAmount(done, unit)}${total === undefined ? '' : ` of ${renderAmount(total, unit)}`}`
  if (rate <= 0) return amount
  const left =
    total === undefined || done >= total ? '' : `, ${renderDuration((1000 * (total - done)) / rate)} left`
  const spared = saved > 0 ? `, ${renderAmount(saved, unit)} of it not carried` : ''
  return `${amount}, ${renderAmount(rate, unit)}/s${left}${spared}`
}
