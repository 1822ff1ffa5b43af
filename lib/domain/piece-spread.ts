import { createNodePool } from './node-pool.ts'
import { PieceQueue } from './piece-queue.ts'
import { addPiece, hasPiece, removePiece, visitPieces } from './piece-set.ts'
import { createPlannedNode, type PlannedNode } from './planned-node.ts'

/** Who has which pieces, and which of them only the control host can give. */
export class PieceSpread {
  readonly nodes: PlannedNode[] = []
  /** Holders and fetches under way of each piece: what is rare goes first. */
  readonly copies: Uint32Array
  /** Nodes that lack pieces and that others may rely on. */
  readonly eager = createNodePool<PlannedNode>()
  /** All nodes that lack pieces. */
  readonly incomplete = createNodePool<PlannedNode>()
  /** Of each piece: nodes that have it, those of them that others may rely on, and such that it is being sent to. */
  readonly #holders: Uint32Array
  readonly #trusted: Uint32Array
  readonly #fed: Uint32Array
  readonly #fresh: PieceQueue
  /** Of nodes that do not want all pieces, those that they have no use for. */
  readonly #useless = new Map<PlannedNode, readonly number[]>()
  #alive = 0

  constructor(pieces: number) {
    this.copies = new Uint32Array(pieces)
    this.#holders = new Uint32Array(pieces)
    this.#trusted = new Uint32Array(pieces)
    this.#fed = new Uint32Array(pieces)
    this.#fresh = new PieceQueue(pieces)
  }

  /** Whether nodes want different pieces: then a few of them at random are often none that wants a certain one. */
  get hasPortions(): boolean {
    return this.#useless.size > 0
  }

  /** `useless`: pieces that it neither has nor wants. */
  join(have: Iterable<number>, useless: readonly number[] = []): PlannedNode {
    const node = createPlannedNode(this.nodes.length, this.copies.length)
    this.nodes.push(node)
    this.#alive++
    for (const piece of have) {
      if (!hasPiece(node.have, piece)) this.#hold(node, piece)
    }
    if (useless.length > 0) this.#pass(node, useless)
    visitPieces(node.wanted, (piece) => this.putBack(piece))
    this.#sort(node)
    return node
  }

  /** Of these, a node counts among the holders: nobody has to send it any. */
  #pass(node: PlannedNode, useless: readonly number[]): void {
    const own = useless.filter((piece) => hasPiece(node.wanted, piece))
    for (const piece of own) {
      removePiece(node.wanted, piece)
      this.#holders[piece]!++
    }
    node.wantedCount -= own.length
    node.missing -= own.length
    this.#useless.set(node, own)
  }

  leave(node: PlannedNode): void {
    node.isAlive = false
    this.#alive--
    visitPieces(node.have, (piece) => {
      this.#holders[piece]!--
      this.copies[piece]!--
    })
    for (const piece of this.#useless.get(node) ?? []) this.#holders[piece]!--
    this.#useless.delete(node)
    this.setTrusted(node, false)
    this.#sort(node)
  }

  addHolder(node: PlannedNode, piece: number): void {
    this.#hold(node, piece)
    // Nobody relies on this one: others that lack the piece still get it from the control host.
    if (!node.isTrusted) this.putBack(piece)
    if (node.missing === 0) this.#sort(node)
  }

  setTrusted(node: PlannedNode, isTrusted: boolean): void {
    if (node.isTrusted === isTrusted) return
    node.isTrusted = isTrusted
    visitPieces(node.have, (piece) => {
      this.#trusted[piece]! += isTrusted ? 1 : -1
      this.putBack(piece)
    })
    this.#sort(node)
  }

  /** A piece goes out from the control host to a node that others may rely on, or no longer does. */
  feed(piece: number, change: 1 | -1): void {
    this.#fed[piece]! += change
    this.putBack(piece)
  }

  /** Takes the next piece that no trusted node has or is being sent by the control host, and that somebody lacks. */
  takeFresh(): number | undefined {
    for (let piece = this.#fresh.take(); piece !== undefined; piece = this.#fresh.take()) {
      if (this.#isFresh(piece)) return piece
    }
    return undefined
  }

  /** Puts a piece where {@link takeFresh} takes from, if it belongs there. */
  putBack(piece: number): void {
    if (this.#isFresh(piece)) this.#fresh.add(piece)
  }

  #isFresh(piece: number): boolean {
    return this.#trusted[piece] === 0 && this.#fed[piece] === 0 && this.#holders[piece]! < this.#alive
  }

  #hold(node: PlannedNode, piece: number): void {
    addPiece(node.have, piece)
    if (hasPiece(node.wanted, piece)) node.wantedCount--
    removePiece(node.wanted, piece)
    node.missing--
    this.copies[piece]!++
    this.#holders[piece]!++
    if (node.isTrusted) this.#trusted[piece]!++
  }

  #sort(node: PlannedNode): void {
    const lacks = node.isAlive && node.missing > 0
    this.incomplete.put(node, lacks)
    this.eager.put(node, lacks && node.isTrusted)
  }
}
