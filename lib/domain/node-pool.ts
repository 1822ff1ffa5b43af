/** A set of nodes out of which some can be taken at random at once, however many there are. */
export type NodePool<Node> = {
  readonly size: number
  has(node: Node): boolean
  /** Adds a node if it belongs there, else removes it. */
  put(node: Node, belongs: boolean): void
  /** Up to `count` nodes, from a share in [0, 1) of the pool on; all of them where there are no more. */
  sample(count: number, start: number): Node[]
}

/** An empty pool of nodes that know their own position. */
export function createNodePool<Node extends { readonly index: number }>(): NodePool<Node> {
  const members: Node[] = []
  const places: (number | undefined)[] = []
  const add = (node: Node) => {
    places[node.index] = members.length
    members.push(node)
  }
  const remove = ({ index }: Node, place: number) => {
    const last = members.pop()!
    places[index] = undefined
    if (last.index === index) return
    members[place] = last
    places[last.index] = place
  }
  return {
    get size() {
      return members.length
    },
    has: ({ index }) => places[index] !== undefined,
    put(node, belongs) {
      const place = places[node.index]
      if (place === undefined && belongs) add(node)
      if (place !== undefined && !belongs) remove(node, place)
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
