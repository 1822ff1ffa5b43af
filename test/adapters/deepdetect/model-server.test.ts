import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { createModelServer } from '../../../lib/adapters/deepdetect/model-server.ts'
import type { ServiceOrder } from '../../../lib/domain/model-service.ts'
import { defineModelServerContract } from '../../contracts/model-server.ts'
import {
  renderCreation,
  renderPrediction,
  type StandIn,
  startModelServer,
  startStandIn,
  VERSIONS,
} from '../../support/model-servers.ts'
import { raised } from '../../support/raised.ts'
import type { ServiceProcess } from '../../support/services.ts'
import { makeTempDir } from '../../support/temp.ts'

const signal = new AbortController().signal
const standIns: StandIn[] = []
let own: Promise<ServiceProcess> | undefined
test.after(async () => {
  for (const one of standIns) one.stop()
  await (await own)?.stop()
})

const root = makeTempDir()
defineModelServerContract('our own extraction service', async () => {
  own ??= startModelServer(root)
  const repository = join(root, 'texts')
  mkdirSync(repository, { recursive: true })
  return {
    server: createModelServer((await own).url),
    order: renderCreation(repository) as ServiceOrder,
    wrong: renderCreation(join(root, 'nowhere')) as ServiceOrder,
    request: { ...renderPrediction('', 'a text') },
    refused: { ...renderPrediction('') },
    tells: true,
  }
})

for (const version of VERSIONS) {
  defineModelServerContract(`DeepDetect ${version}`, async () => {
    const standIn = await startStandIn(version)
    standIns.push(standIn)
    const order = (repository: string): ServiceOrder => ({
      ...{ mllib: 'torch', description: 'images', type: 'supervised', model: { repository } },
      parameters: { input: { connector: 'image' }, mllib: { nclasses: 1000 }, output: {} },
    })
    return {
      server: createModelServer(standIn.url),
      ...{ order: order('/models/cats'), wrong: order('/nowhere/cats') },
      request: { data: ['/data/cat.jpg'], parameters: {} },
      refused: { data: [], parameters: {} },
      tells: version !== 'v0.9.7',
    }
  })
}

test('a server that is not there is told by its address', async () => {
  const error = await raised('remote', createModelServer('http://127.0.0.1:1').find('one', signal))
  assert.match(error.message, 'http://127.0.0.1:1/services/one')
})

test.run()
