import { test } from 'uvu'
import { examineImages, type ImageReport } from '../../lib/domain/examine-images.ts'
import { assertFound, assertSound } from '../support/findings.ts'

const IMAGE = 'longshore:0123456789ab'
const report = (name: string, image: ImageReport['image'], architecture = 'amd64') => ({
  name,
  architecture,
  image,
})
const found = { id: 'sha256:1', architecture: 'amd64' }

test('is content where every node has the same image', () => {
  assertSound(examineImages([report('n1', found), report('n2', found)], IMAGE))
})

test('finds a node that lacks the image', () => {
  const findings = examineImages([report('n1', found), report('n2', null)], IMAGE)
  assertFound(findings, 'fail', /n2 does not have longshore:0123/, /image\.mjs/)
})

test('warns alone where nodes can pull it from a registry', () => {
  const findings = examineImages([report('n2', null)], 'registry.example:5000/longshore:1')
  assertFound(findings, 'warn', /n2 does not have .* until it has been pulled/, /docker pull/)
})

test('finds an image that an engine cannot run', () => {
  const findings = examineImages([report('n2', found, 'arm64')], IMAGE)
  assertFound(findings, 'fail', /on n2 is made for amd64, its engine runs arm64/)
})

test('finds different images under one name', () => {
  const other = { ...found, id: 'sha256:2' }
  assertFound(examineImages([report('n1', found), report('n2', other)], IMAGE), 'warn', /2 different images/)
})

test('finds a profile that names no image', () => {
  assertFound(examineImages([report('n1', null)], ''), 'fail', /swarm\.image: missing/, /image\.mjs/)
})

test.run()
