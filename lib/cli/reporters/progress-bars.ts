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

/** A bar for each task, with rate and remaining time; a task whose total is unknown only counts. */
export function createProgressBars(stream: NodeJS.WriteStream): ProgressBars {
  const tasks = new Map<string, Task>()
  let bars: MultiBar | undefined

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
  }

  return {
    update(progress) {
      const known = tasks.get(progress.task) ?? begin(progress)
      const { task, done, total } = progress
      known.isDone = total !== undefined && done >= total
      known.bar.setTotal(total ?? 1)
      known.bar.update(total === undefined ? 0 : done, { task, story: renderStory(progress, known.start) })
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

/** `120,000 rows of 400,000 rows, 61,000 rows/s, 4.6 s left`; what was there at the start does not count for the rate. */
export function renderStory(
  { done, total, unit }: Progress,
  start: Start,
  now: number = performance.now(),
): string {
  const rate = (1000 * (done - start.done)) / Math.max(1, now - start.at)
  const amount = `${renderAmount(done, unit)}${total === undefined ? '' : ` of ${renderAmount(total, unit)}`}`
  if (rate <= 0) return amount
  const left =
    total === undefined || done >= total ? '' : `, ${renderDuration((1000 * (total - done)) / rate)} left`
  return `${amount}, ${renderAmount(rate, unit)}/s${left}`
}
