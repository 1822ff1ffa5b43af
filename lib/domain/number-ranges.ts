import { LongshoreError } from './errors.ts'

/** Distinct numbers from 0 in a few characters: `0-3,7`. */
export function renderRanges(numbers: readonly number[]): string {
  const distinct = new Set(numbers)
  const sorted = [...distinct].sort((a, b) => a - b)
  const starts = sorted.filter((number) => !distinct.has(number - 1))
  const ends = sorted.filter((number) => !distinct.has(number + 1))
  return starts
    .map((start, index) => (start === ends[index] ? `${start}` : `${start}-${ends[index]}`))
    .join(',')
}

/** The numbers of {@link renderRanges}, smallest first. Raises `corrupt`. */
export function parseRanges(text: string): number[] {
  if (text === '') return []
  return text.split(',').flatMap((range) => {
    const match = /^(\d+)(?:-(\d+))?$/.exec(range)
    if (!match)
      throw new LongshoreError('corrupt', `"${text}" is no list of numbers; expected for example 0-3,7`)
    const start = Number(match[1])
    const end = Number(match[2] ?? match[1])
    return Array.from({ length: end - start + 1 }, (_, index) => start + index)
  })
}
