/** Bytes for people, in powers of 1024: `512 B`, `1.5 KiB`, `20 MiB`. */
export function renderBytes(bytes: number): string {
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB']
  const power = bytes < 1024 ? 0 : Math.min(units.length - 1, Math.floor(Math.log2(bytes) / 10))
  const value = bytes / 1024 ** power
  return `${power > 0 && value < 9.95 ? value.toFixed(1) : Math.round(value)} ${units[power]}`
}

/** A duration given in milliseconds for people: `340 ms`, `2.5 s`, `1 min 05 s`, `2 h 03 min`. */
export function renderDuration(ms: number): string {
  if (ms < 999.5) return `${Math.round(ms)} ms`
  if (ms < 59_950) return `${(ms / 1000).toFixed(1)} s`
  const seconds = Math.round(ms / 1000)
  const pad = (value: number) => String(value).padStart(2, '0')
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min ${pad(seconds % 60)} s`
  return `${Math.floor(seconds / 3600)} h ${pad(Math.floor((seconds % 3600) / 60))} min`
}

/** A whole number with thousands set apart: `400,000`. */
export function renderCount(count: number): string {
  return Math.round(count).toLocaleString('en-US')
}

/** An amount of rows or bytes, for progress. */
export function renderAmount(amount: number, unit: 'rows' | 'bytes'): string {
  return unit === 'bytes' ? renderBytes(amount) : `${renderCount(amount)} rows`
}

/** A measured value with as many digits as a decision needs; small ones keep two that count. */
export function renderMeasure(value: number): string {
  if (!Number.isFinite(value) || Number.isInteger(value)) return String(value)
  return Math.abs(value) >= 0.01 ? value.toFixed(4).replace(/\.?0+$/, '') : value.toPrecision(2)
}
