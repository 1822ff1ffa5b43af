import { rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import sharp from 'sharp'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { digestModel } from '../../../lib/adapters/models/digest.ts'
import { type OnnxOptions, type Outcome, openOnnxModel } from '../../../lib/adapters/models/onnx-model.ts'
import { rejectsWith } from '../../support/errors.ts'
import { makeModel } from '../../support/generation.ts'
import { type TextModel, writeImageModel, writeTextModel } from '../../support/onnx-model.ts'
import { makeTempDir } from '../../support/temp.ts'

const DIMENSIONS = 4
const WORDS = ['red', 'green', 'blue', 'hole', 'nothing']
const CLS = 1
const SEP = 2
const FIRST_WORD = 4
const [RED, GREEN, BLUE, HOLE, NOTHING] = WORDS.map((_, index) => FIRST_WORD + index) as [
  number,
  number,
  number,
  number,
  number,
]

/** Padding would be seen in every mean; one word has no number, another no direction with those around it. */
function valueAt(token: number, column: number): number {
  if (token === 0) return 1000
  if (token === HOLE) return Number.NaN
  if (token === NOTHING) return -valueAt(CLS, column) - valueAt(SEP, column)
  return ((token * 7 + column * 3) % 11) + 1
}

const text: TextModel = { words: WORDS, dimensions: DIMENSIONS, valueAt, maxTokens: 6 }
const openText = (options: Partial<OnnxOptions> = {}, made: Partial<TextModel> = {}) =>
  open({ root: writeTextModel(makeTempDir(), { ...text, ...made }), ...options })

function open(options: Partial<OnnxOptions> & { root: string }, dimensions = DIMENSIONS) {
  const preset = { model: makeModel(dimensions), device: 'cpu', threads: 1, mostItems: 8, output: undefined }
  return openOnnxModel({ ...(preset as Omit<OnnxOptions, 'root'>), ...options })
}

const ask = (value: string | Uint8Array, mayCut = false) => ({ value, mayCut })

function meanOf(...tokens: number[]): number[] {
  return Array.from({ length: DIMENSIONS }, (_, column) =>
    tokens.reduce((sum, token) => sum + valueAt(token, column) / tokens.length, 0),
  )
}

function unitOf(values: readonly number[]): number[] {
  const norm = Math.hypot(...values)
  return values.map((value) => value / norm)
}

function assertNear(found: Outcome | undefined, expected: readonly number[]): void {
  assert.ok(found instanceof Float32Array, JSON.stringify(found))
  assert.is(found.length, expected.length)
  for (const [at, value] of expected.entries()) {
    assert.ok(Math.abs(found[at]! - value) < 1e-5, `${[...found]} instead of ${expected}`)
  }
}

test('embeds a text as the mean of its own tokens, whatever stands beside it', async () => {
  const model = await openText()
  const [one, two] = await model.embed([ask('Red'), ask('green blue red')])
  assertNear(one, unitOf(meanOf(CLS, RED, SEP)))
  assertNear(two, unitOf(meanOf(CLS, GREEN, BLUE, RED, SEP)))
})

test('leaves embeddings as long as they are where the model is not normalised', async () => {
  const model = await openText({ model: { ...makeModel(DIMENSIONS), normalized: false } })
  assertNear((await model.embed([ask('red')]))[0], meanOf(CLS, RED, SEP))
})

test('takes the first token where 1_Pooling/config.json says so, and refuses poolings it does not know', async () => {
  const model = await openText({}, { pooling: { pooling_mode_cls_token: true } })
  assertNear((await model.embed([ask('red')]))[0], unitOf(meanOf(CLS)))
  const odd = openText({}, { pooling: { pooling_mode_weightedmean_tokens: true } })
  await rejectsWith(odd, 'usage', /pooling_mode_weightedmean_tokens/)
})

test('takes an output that is an embedding already, unless another is named', async () => {
  const model = await openText({}, { hasSentence: true })
  assertNear((await model.embed([ask('red')]))[0], unitOf(meanOf(CLS, RED, SEP)))
  const named = await openText({ output: 'last_hidden_state' }, { hasSentence: true })
  const [, short] = await named.embed([ask('red green'), ask('blue')])
  assertNear(short, unitOf(meanOf(CLS, BLUE, SEP)))
  await rejectsWith(
    openText({ output: 'other' }),
    'usage',
    /an output other; its outputs are last_hidden_state/,
  )
})

test('refuses a text of too many tokens, and cuts it before its last special token where asked', async () => {
  const model = await openText()
  const long = 'red green blue red green blue'
  const [refused, cut, fits] = await model.embed([ask(long), ask(long, true), ask('red green blue red')])
  assert.match(JSON.stringify(refused), /refused.*8 tokens.*takes 6/)
  assertNear(cut, unitOf(meanOf(CLS, RED, GREEN, BLUE, RED, SEP)))
  assertNear(fits, unitOf(meanOf(CLS, RED, GREEN, BLUE, RED, SEP)))
  const [endless] = await model.embed([ask('red '.repeat(1_000_000))])
  assert.match(JSON.stringify(endless), /refused.*characters/)
})

test('gives no embedding that is not finite or has no direction, and spoils no other by it', async () => {
  const model = await openText()
  const [hole, fine, none] = await model.embed([ask('red hole'), ask('red'), ask('nothing')])
  assert.match(JSON.stringify(hole), /refused.*not finite/)
  assertNear(fine, unitOf(meanOf(CLS, RED, SEP)))
  assert.match(JSON.stringify(none), /refused.*not finite/)
})

test('tells a content that makes a run fail from those beside it', async () => {
  const model = await openText({}, { rows: GREEN + 1 })
  const [one, failing, other] = await model.embed([ask('red'), ask('blue'), ask('green')])
  assertNear(one, unitOf(meanOf(CLS, RED, SEP)))
  assert.match(JSON.stringify(failing), /"failed":/)
  assertNear(other, unitOf(meanOf(CLS, GREEN, SEP)))
})

test('embeds more than one run takes', async () => {
  const model = await openText({ mostItems: 2 })
  const found = await model.embed(Array.from({ length: 7 }, (_, at) => ask(WORDS[at % 3]!)))
  for (const [at, outcome] of found.entries()) {
    assertNear(outcome, unitOf(meanOf(CLS, [RED, GREEN, BLUE][at % 3]!, SEP)))
  }
})

test('finds a model in a repository by its version, and by its name and version', async () => {
  const root = makeTempDir()
  const model = { ...makeModel(DIMENSIONS), name: 'colours', version: '3' }
  await rejectsWith(open({ root, model }), 'not-found', /colours\/3\/model\.onnx/)
  writeTextModel(join(root, 'colours', '3'), text)
  await open({ root, model })
  await open({ root: join(root, 'colours'), model })
})

test('names the file that is missing or wrong', async () => {
  const withText = () => writeTextModel(makeTempDir(), text)
  const change = (file: string, content: string | undefined) => {
    const root = withText()
    if (content === undefined) rmSync(join(root, file))
    else writeFileSync(join(root, file), content)
    return open({ root })
  }
  await rejectsWith(change('tokenizer.json', undefined), 'usage', /expected tokenizer\.json .*found neither/)
  await rejectsWith(change('tokenizer.json', '{'), 'usage', /tokenizer\.json: expected JSON/)
  await rejectsWith(
    change('tokenizer.json', '{"model":{"type":"Odd"}}'),
    'usage',
    /tokenizer\.json: expected a tokenizer/,
  )
  await rejectsWith(change('preprocessor_config.json', '{}'), 'usage', /found both/)
  await rejectsWith(change('model.onnx', 'no model'), 'usage', /model\.onnx: expected an ONNX model/)
  await rejectsWith(open({ root: withText() }, 5), 'usage', /5 dimensions as the model declares, found 4/)
})

test('embeds images by what the preprocessor says', async () => {
  const preprocessor = {
    do_resize: true,
    size: { height: 2, width: 2 },
    resample: 0,
    image_mean: [0.5, 0.25, 0],
    image_std: [0.5, 0.5, 2],
  }
  const png = await sharp(Uint8Array.of(255, 0, 51, 255, 0, 51, 0, 255, 102, 0, 255, 102), {
    raw: { width: 2, height: 2, channels: 3 },
  })
    .png()
    .toBuffer()
  const unscaled = { ...makeModel(3), normalized: false }
  const openImages = (more: object) =>
    open({ root: writeImageModel(makeTempDir(), { ...preprocessor, ...more }), model: unscaled }, 3)
  const expected = [(0.5 - 0.5) / 0.5, (0.5 - 0.25) / 0.5, 0.3 / 2]
  assertNear((await (await openImages({})).embed([ask(png)]))[0], expected)
  const flipped = await (await openImages({ do_flip_channel_order: true })).embed([ask(png)])
  assertNear(flipped[0], [(0.3 - 0.5) / 0.5, (0.5 - 0.25) / 0.5, 0.5 / 2])
  const cropping = { size: { shortest_edge: 2 }, do_center_crop: true, crop_size: 1, do_normalize: false }
  assertNear((await (await openImages(cropping)).embed([ask(png)]))[0], [1, 0, 0.2])
})

test('refuses what is no image, images without a size, and texts where images are expected', async () => {
  const preprocessor = { size: 2, do_normalize: false }
  const root = writeImageModel(makeTempDir(), preprocessor)
  const model = await open({ root, model: { ...makeModel(3), normalized: false } }, 3)
  const [broken, words] = await model.embed([ask(Buffer.from('no image')), ask('red')])
  assert.match(JSON.stringify(broken), /refused.*expected an image/)
  assert.match(JSON.stringify(words), /refused.*expected an image/)
  const cases: [object, RegExp][] = [
    [{ size: { shortest_edge: 2 }, do_normalize: false }, /a size that is the same for all images/],
    [{ size: 2, image_mean: [1], image_std: [1, 1, 1] }, /image_mean: expected three numbers, found \[1\]/],
    [{ size: 'big' }, /size: expected a length/],
  ]
  for (const [content, message] of cases) {
    await rejectsWith(open({ root: writeImageModel(makeTempDir(), content) }, 3), 'usage', message)
  }
})

test('refuses a GPU that cannot be had, and says so where it may go without', async () => {
  await rejectsWith(openText({ device: 'gpu' }), 'usage', /device: gpu cannot be had/)
  const { device, note } = await openText({ device: 'auto' })
  assert.is(device, 'cpu')
  assert.match(note ?? '', /the GPU cannot be used/)
  assert.is((await openText()).note, undefined)
})

test('has the digest of its files as fingerprint, notes and hidden files aside', async () => {
  const root = writeTextModel(makeTempDir(), text)
  const digest = await digestModel(root)
  assert.is(await digestModel(writeTextModel(makeTempDir(), text)), digest)
  writeFileSync(join(root, 'README.md'), 'words')
  writeFileSync(join(root, '.cache'), 'words')
  assert.is(await digestModel(root), digest)
  writeFileSync(join(root, 'tokenizer_config.json'), '{}')
  assert.is.not(await digestModel(root), digest)
})

test.run()
