import { test } from 'uvu'

let failed: string | undefined

/**
 * A test of a fleet that earlier ones have left as they should. Once one has failed, none runs on its mess, so that with
 * KEEP_FAILED=1 the lab stays as the failure left it.
 */
export function scenario(name: string, work: () => Promise<void>): void {
  test(name, async () => {
    if (failed !== undefined) throw new Error(`did not run after the failure of: ${failed}`)
    try {
      await work()
    } catch (error) {
      failed = name
      throw error
    }
  })
}

export function hasFailed(): boolean {
  return failed !== undefined
}
