import { createLinkRate } from './link-rate.ts'
import { createNodePool, type NodePool } from './node-pool.ts'
import type { PlannedNode } from './piece-planner-types.ts'
import { addPiece, createPieceSet, hasPiece, removePiece, visitPieces } from './piece-set.ts'

/** Who has which pieces, and which of them only the control host can give. */
export type PieceSpread = {
  readonly nodes: readonly PlannedNode[]
  /** Holders and fetches under way of each piece: what is rare goes first. */
  readonly copies: Uint32Array
  /** Nodes that lack pieces and that others may rely on. */
  readonly eager: NodePool<PlannedNode>
  /** All nodes that lack pieces. */
  readonly incomplete: NodePool<PlannedNode>
  join(have: Iterable<number>): PlannedNode
  leave(node: PlannedNode): void
  addHolder(node: PlannedNode, piece: number): void
  setTrusted(node: PlannedNode, isTrusted: boolean): void
  /** A piece goes out from the control host to a node that others may rely on, or no longer does. */
  feed(piece: number, change: 1 | -1): void
  /** Takes the next piece that no trusted node has or is being sent by the control host, and that somebody lacks. */
  takeFresh(): number | undefined
  putBack(piece: number): void
}

export function createPieceSpread(pieces: number): PieceSpread {
  const nodes: PlannedNode[] = []
  const copies = new Uint32Array(pieces)
  const holders = new Uint32Array(pieces)
  const trusted = new Uint32Array(pieces)
  const fed = new Uint32Array(pieces)
  const fresh = createPieceQueue(pieces)
  const eager = createNodePool<PlannedNode>()
  const incomplete = createNodePool<PlannedNode>()
  let alive = 0
  const isFresh = (piece: number) => trusted[piece] === 0 && fed[piece] === 0 && holders[piece]! < alive
  const noteFresh = (piece: number) => {
    if (isFresh(piece)) fresh.add(piece)
  }
  const hold = (node: PlannedNode, piece: number) => {
    addPiece(node.have, piece)
    if (hasPiece(node.wanted, piece)) node.wantedCount--
    removePiece(node.wanted, piece)
    node.missing--
    holders[piece]!++
    if (node.isTrusted) trusted[piece]!++
  }
  const sort = (node: PlannedNode) => {
    const lacks = node.isAlive && node.missing > 0
    if (lacks) incomplete.add(node)
    else incomplete.remove(node)
    if (lacks && node.isTrusted) eager.add(node)
    else eager.remove(node)
  }
  const setTrusted = (node: PlannedNode, isTrusted: boolean) => {
    if (node.isTrusted === isTrusted) return
    node.isTrusted = isTrusted
    visitPieces(node.have, (piece) => {
      if (isTrusted) trusted[piece]!++
      else if (--trusted[piece]! === 0) noteFresh(piece)
    })
    sort(node)
  }
  return {
    nodes,
    copies,
    eager,
    incomplete,
    setTrusted,
    join(have) {
      const node = createNode(nodes.length, pieces)
      nodes.push(node)
      alive++
      for (const piece of have) {
        if (hasPiece(node.have, piece)) continue
        hold(node, piece)
        copies[piece]!++
      }
      visitPieces(node.wanted, noteFresh)
      sort(node)
      return node
    },
    leave(node) {
      node.isAlive = false
      alive--
      visitPieces(node.have, (piece) => {
        holders[piece]!--
        copies[piece]!--
      })
      setTrusted(node, false)
      sort(node)
    },
    addHolder(node, piece) {
      hold(node, piece)
      copies[piece]!++
      if (node.missing === 0) sort(node)
    },
    feed(piece, change) {
      fed[piece]! += change
      noteFresh(piece)
    },
    takeFresh() {
      for (let piece = fresh.take(); piece !== undefined; piece = fresh.take()) {
        if (isFresh(piece)) return piece
      }
      return undefined
    },
    putBack: noteFresh,
  }
}

function createNode(index: number, pieces: number): PlannedNode {
  const wanted = createPieceSet(pieces)
  for (let piece = 0; piece < pieces; piece++) addPiece(wanted, piece)
  return {
    index,
    have: createPieceSet(pieces),
    wanted,
    fetches: [],
    missing: pieces,
    wantedCount: pieces,
    isAlive: true,
    isTrusted: true,
    fetching: 0,
    feeding: 0,
    uploading: 0,
    down: createLinkRate(),
    up: createLinkRate(),
    pace: 0,
    isSlow: false,
    failedInto: 0,
    failedOutOf: 0,
    avoidedUntil: 0,
    doubtedUntil: 0,
    aloneUntil: 0,
    receivedAt: 0,
    sentAt: 0,
  }
}

/** First in, first out; each piece at most once. */
function createPieceQueue(pieces: number) {
  const ring = new Uint32Array(pieces)
  const isIn = new Uint8Array(pieces)
  let head = 0
  let size = 0
  return {
    add(piece: number): void {
      if (isIn[piece] === 1) return
      isIn[piece] = 1
      ring[(head + size++) % pieces] = piece
    },
    take(): number | undefined {
      if (size === 0) return undefined
      const piece = ring[head]!
      head = (head + 1) % pieces
      size--
      isIn[piece] = 0
      return piece
    },
  }
}
