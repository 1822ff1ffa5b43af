import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { isForeignBinary } from '../../../lib/adapters/docker/contents.ts'

test('leaves binaries for other platforms out of an image', () => {
  const binaries = '/srv/node_modules/onnxruntime-node/bin/napi-v6'
  const { platform, arch } = process
  for (const own of [
    binaries,
    `${binaries}/${platform}`,
    `${binaries}/${platform}/${arch}/a.node`,
    '/srv/a',
  ]) {
    assert.not(isForeignBinary(own), own)
  }
  for (const foreign of ['beos', 'beos/x64', `${platform}/mips`, `${platform}/mips/a.node`]) {
    assert.ok(isForeignBinary(`${binaries}/${foreign}`), foreign)
  }
})

test.run()
