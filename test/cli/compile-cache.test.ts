import { join } from 'node:path'
import { execa } from 'execa'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { ROOT } from '../support/shared.ts'

test('what was compiled is kept among the packages of the project, where nobody else may put anything', async () => {
  const program = `
    import { getCompileCacheDir } from 'node:module'
    import { keepCompiled } from '${ROOT}lib/cli/compile-cache.mjs'
    keepCompiled()
    console.log(getCompileCacheDir())`
  const { stdout } = await execa('node', ['--input-type', 'module', '--eval', program], {
    preferLocal: true,
    localDir: ROOT,
    env: { NODE_COMPILE_CACHE: undefined, NODE_DISABLE_COMPILE_CACHE: undefined },
  })
  assert.ok(stdout.startsWith(join(ROOT, 'node_modules/.cache/longshore')), stdout)
})

test.run()
