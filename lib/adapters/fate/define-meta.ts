import { isMap, parse, parseDocument } from 'yaml'
import { LongshoreError, messageOf } from '../../domain/errors.ts'
import type { BufferPlace, DefineMeta } from '../../domain/fate/package-layout.ts'

type Members = Readonly<Record<string, unknown>>

/** The modules and buffers that `define_meta.yaml` names; `place` is what errors call it. Raises `corrupt`. */
export function parseMeta(text: string, place: string): DefineMeta {
  const fail = (problem: string) => new LongshoreError('corrupt', `${place}: ${problem}`)
  let document: unknown
  try {
    document = parse(text)
  } catch (error) {
    throw fail(`is no YAML: ${messageOf(error)}`)
  }
  const { component_define: define, model_proto: protos } = membersOf(document)
  if (define === undefined || protos === undefined) throw fail('names no component_define and model_proto')
  const modules = Object.entries(membersOf(define)).map(([component, about]) => [
    component,
    String(membersOf(about).module_name ?? ''),
  ])
  const buffers = Object.entries(membersOf(protos)).flatMap(([component, aliases]) =>
    Object.entries(membersOf(aliases)).flatMap(([alias, names]) =>
      Object.keys(membersOf(names)).map((buffer): BufferPlace => ({ component, alias, buffer })),
    ),
  )
  return { modules: Object.fromEntries(modules), buffers }
}

/** The same text with no buffers under these aliases of components; everything else as it is written. */
export function emptyMeta(text: string, dropped: readonly (readonly [string, string])[]): string {
  if (dropped.length === 0) return text
  const document = parseDocument(text)
  for (const [component, alias] of dropped) {
    const path = ['model_proto', component, alias]
    if (isMap(document.getIn(path))) document.setIn(path, document.createNode({}, { flow: true }))
  }
  return document.toString({ lineWidth: 0 })
}

function membersOf(value: unknown): Members {
  return typeof value === 'object' && value !== null ? (value as Members) : {}
}
