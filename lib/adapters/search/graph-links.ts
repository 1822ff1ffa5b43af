import { LongshoreError } from '../../domain/errors.ts'
import { type GraphLayout, KEY_BYTES, LINK_BYTES, NODE_HEAD_BYTES } from './graph-file.ts'
import type { HeldFile } from './held-file.ts'
import { mapFile } from './mapped-file.ts'

/**
 * Compares the nodes of a graph's file with their places, and every link with the nodes that there are: usearch follows
 * links without looking, also out of the file, which ends the process. Takes some 200 nanoseconds for each node; the pages
 * read are those that usearch reads when it opens the file. Raises `corrupt`.
 */
export function checkGraphLinks({ path, place }: HeldFile, layout: GraphLayout): void {
  const file = mapFile(place)
  try {
    const view = new DataView(file.bytes)
    let at = layout.nodesAt
    for (let node = 0; node < layout.levels.length; node++) at = checkNode(view, at, { path, layout, node })
  } finally {
    file.unmap()
  }
}

type Place = { readonly path: string; readonly layout: GraphLayout; readonly node: number }

/** Where the next node begins. */
function checkNode(view: DataView, start: number, { path, layout, node }: Place): number {
  const { levels, links, baseLinks } = layout
  const level = levels[node]!
  const isInPlace =
    view.getBigUint64(start, true) === BigInt(node) && view.getInt16(start + KEY_BYTES, true) === level
  if (!isInPlace) throw new LongshoreError('corrupt', `${path}: node ${node} is not in its place`)
  let at = start + NODE_HEAD_BYTES
  for (let list = 0; list <= level; list++) {
    const room = list === 0 ? baseLinks : links
    const count = view.getUint32(at, true)
    if (count > room) {
      throw new LongshoreError('corrupt', `${path}: node ${node} has ${count} links, expected up to ${room}`)
    }
    for (let link = 1; link <= count; link++) {
      const target = view.getUint32(at + link * LINK_BYTES, true)
      // A node that is not there has no level.
      if (levels[target]! >= list) continue
      throw new LongshoreError(
        'corrupt',
        `${path}: node ${node} links to ${target} in level ${list}, where it is not`,
      )
    }
    at += (room + 1) * LINK_BYTES
  }
  return at
}
