/** A whole terminal that shows one text at a time. */
export type Screen = {
  show(text: string): void
  /** Brings back what stood there before, and the cursor. */
  close(): void
}

const ENTER = '\u001b[?1049h\u001b[?25l\u001b[?7l'
const LEAVE = '\u001b[?7h\u001b[?25h\u001b[?1049l'
/** Terminals that know these two draw what is between them at once; others pass them over. */
const BEGIN = '\u001b[?2026h\u001b[H'
const END = '\u001b[J\u001b[?2026l'
const NEXT_LINE = '\u001b[K\r\n'

/** Takes a terminal over until closed, or until the process ends. Each text is drawn over the former one, as far as it has room. */
export function createScreen(stream: NodeJS.WriteStream): Screen {
  let shown = ''
  let isOpen = true
  const draw = () => void stream.write(`${BEGIN}${fit(shown, stream.rows)}${END}`)
  const close = () => {
    if (!isOpen) return
    isOpen = false
    stream.off('resize', draw)
    process.off('exit', close)
    stream.write(LEAVE)
  }
  stream.write(ENTER)
  stream.on('resize', draw)
  process.once('exit', close)
  return {
    show(text) {
      shown = text
      draw()
    },
    close,
  }
}

function fit(text: string, rows = 24): string {
  const lines = text.trimEnd().split('\n')
  const more = lines.length - rows
  const seen = more > 0 ? [...lines.slice(0, rows - 1), `… ${more + 1} more lines`] : lines
  return `${seen.join(NEXT_LINE)}\u001b[K`
}
