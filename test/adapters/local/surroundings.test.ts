import { test } from 'uvu'
import { createLocalSurroundings } from '../../../lib/adapters/local/surroundings.ts'
import { describeSurroundings } from '../../contracts/surroundings.ts'

describeSurroundings('the surroundings of this machine', () => {
  return { sound: createLocalSurroundings(), silent: createLocalSurroundings() }
})

test.run()
