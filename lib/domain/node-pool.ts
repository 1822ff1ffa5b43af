/** A set of nodes out of which some can be taken at random at once, however many there are. */
export type NodePool<Node> = {
  readonly size: number
  has(node: Node): boolean
  add(node: Node): void
  remove(node: Node): void
  /** Up to `count` nodes, from a share in [0, 1) of the pool on; all of them where there are no more. */
  sample(count: number, start: number): Node[]
}

/** An empty pool of nodes that know their own position. */
export function createNodePool<Node extends { readonly index: number }>(): NodePool<Node> {
  const members: Node[] = []
  const places: (number | undefined)[] = []
  return {
    get size() {
      return members.length
    },
    has: ({ index }) => places[index] !== undefined,
    add(node) {
      if (places[node.index] !== undefined) return
      places[node.index] = members.length
      members.push(node)
    },
    remove({ index }) {
      const place = places[index]
      if (place === undefined) return
      places[index] = undefined
      const last = members.pop()!
      if (last.index === index) return
      members[place] = last
      places[last.index] = place
    },
    sample(count, start) {
      const { length } = members
      const chosen: Node[] = []
      for (let place = Math.floor(start * length); chosen.length < Math.min(count, length); place++) {
        chosen.push(members[place % length]!)
      }
      return chosen
    },
  }
}
