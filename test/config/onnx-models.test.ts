import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { parseProfile } from '../../lib/config/load.ts'
import { identifyOnnxModels } from '../../lib/config/onnx-models.ts'

const PROFILE = `
name: test
nodes: [{ name: n1 }]
model: { name: lexical-hash, version: "1", dimensions: 4, metric: cosine, normalized: true }
models:
  - { name: words, version: "1", dimensions: 4, metric: cosine, normalized: true, extraction: { onnx: models/words } }
  - { name: known, version: "1", dimensions: 4, metric: cosine, normalized: true, fingerprint: "sha256:told", extraction: { onnx: models/known } }
`
const profile = parseProfile(PROFILE, 'x.yml')
const identify = async (digest: string) => await identifyOnnxModels(profile, async () => digest)

test('knows an ONNX model by its files, and others as the profile does', async () => {
  const [first, same, other] = await Promise.all([identify('1'), identify('1'), identify('2')])
  assert.equal(first, same)
  assert.is.not(first.models[0]!.fingerprint, other.models[0]!.fingerprint)
  assert.is(first.models[1]!.fingerprint, 'sha256:told')
  assert.equal(first.model, profile.model)
})

test.run()
