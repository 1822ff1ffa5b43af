import { setImmediate as nextTurn } from 'node:timers/promises'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import koffi from 'koffi'
import { runNative } from './thread-state.ts'

/** Only glibc keeps what was freed in this way. */
const trim = process.platform === 'linux' ? koffi.load(null).func('int malloc_trim(size_t pad)') : () => 0

/**
 * Gives the memory of native objects that nothing in this thread refers to any more back to the system: the collector of
 * Node.js does not see how much they hold, and libc keeps what was freed. Blocks the thread for some 20 ms.
 */
export async function giveMemoryBack(): Promise<void> {
  setFlagsFromString('--expose-gc')
  runNative(() => runInNewContext('gc()'))
  // Native parts of what was collected are freed in a turn of their own.
  await nextTurn()
  runNative(() => trim(0))
}
