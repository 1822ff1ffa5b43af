import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { findClosestWord } from '../../lib/domain/closest-word.ts'

const WORDS = ['profile', 'dry-run', 'yes', 'json', 'quiet']

test('finds the word that was meant in spite of a letter missing, added, changed or in the wrong case', () => {
  for (const [typed, meant] of [
    ['dryrun', 'dry-run'],
    ['profil', 'profile'],
    ['profiles', 'profile'],
    ['jsom', 'json'],
    ['Quiet', 'quiet'],
  ] as const) {
    assert.is(findClosestWord(typed, WORDS), meant)
  }
})

test('finds nothing when no word is near', () => {
  assert.is(findClosestWord('colour', WORDS), undefined)
  assert.is(findClosestWord('json', []), undefined)
})

test('prefers the nearest of several words', () => {
  assert.is(findClosestWord('recal', ['rejects', 'recalls', 'recall']), 'recall')
})

test.run()
