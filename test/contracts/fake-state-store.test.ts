import { test } from 'uvu'
import { FakeStateStore } from '../support/fakes/state-store.ts'
import { describeStateStore } from './state-store.ts'

describeStateStore('the fake state store', async () => {
  const store = new FakeStateStore()
  return { store, other: store, abandon: async () => store.abandon() }
})

test.run()
