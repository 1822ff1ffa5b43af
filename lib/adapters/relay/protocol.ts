import type { PieceFile } from '../../domain/pieces.ts'

/**
 * What the command tells the relay of one node by its standard input, and the relay answers by its standard output.
 * Each message is a frame: two uint32 (little endian) with the lengths of header and body, a header in JSON, a body.
 * A relay ends when its standard input does, or when it hears nothing for {@link SILENCE_MS}.
 */
export type Order =
  /** Another one ends the former, of which nothing more is told, and keeps what came. */
  | {
      readonly do: 'begin'
      /** Directory name of the generation, under the one directory that the relay may write to. */
      readonly generation: string
      readonly files: readonly PieceFile[]
      /** Positions of those that this node is to bring; all where left out. Pieces are numbered through all files. */
      readonly wanted?: readonly number[]
      readonly pieceBytes: number
      /** Known to the relays of this run alone, in base64: 32 bytes. */
      readonly secret: string
      /** Port that other relays connect to; 0 for any. */
      readonly port: number
      /** Most bytes a second that the relay sends to others; null without a limit. */
      readonly uploadRate: number | null
    }
  /**
   * The body is the part of a piece that starts at `offset` in it; parts of a piece follow each other in order. One that is
   * here already is told again, here and for `fetch`.
   */
  | { readonly do: 'put'; readonly piece: number; readonly sha256: string; readonly offset: number }
  /** Gets a piece from another relay. Another order for the same piece is a second try beside: the first one to arrive counts. */
  | { readonly do: 'fetch'; readonly piece: number; readonly sha256: string; readonly from: Peer }
  | { readonly do: 'limit'; readonly uploadRate: number | null }
  /**
   * Puts the files of the manifest (the body, as JSON) together from a held generation and a patch among `files`; with
   * `clusters` those that belong to them or to none.
   */
  | {
      readonly do: 'rebuild'
      readonly base: string
      readonly patch: string
      readonly clusters?: readonly number[]
    }
  /** A sign of life. */
  | { readonly do: 'stay' }
  | { readonly do: 'end' }

/** Where another relay listens; `from` of a fetch. */
export type Peer = { readonly host: string; readonly port: number }

export type Report =
  /** `pieces`: what is on the disk from an earlier run, read back just now. */
  | {
      readonly told: 'ready'
      readonly port: number
      readonly pieces: readonly { readonly piece: number; readonly sha256: string }[]
      /** Files that are whole already, read back just now: positions in `files`. */
      readonly whole: readonly number[]
    }
  /** Bytes of pieces that the command has sent since `begin` and that no longer wait here to be written. */
  | { readonly told: 'got'; readonly bytes: number }
  /** The piece is on the disk as its sha-256 says. */
  | { readonly told: 'have'; readonly piece: number }
  /** `from` is null for one that came from the command. */
  | { readonly told: 'failed'; readonly piece: number; readonly from: Peer | null; readonly problem: string }
  /** All pieces came, the file was read back and is what it must be, synced, under its own name beside the final one. */
  | { readonly told: 'whole'; readonly file: number }
  /** It differs: its pieces were thrown away. */
  | { readonly told: 'wrong'; readonly file: number; readonly sha256: string }
  | { readonly told: 'rebuilt'; readonly files: readonly RebuiltFile[] }
  /**
   * The relay cannot go on and ends. `code` as of Node.js: before ENOSPC and EDQUOT are told, everything that was put
   * together for the generation has been deleted.
   */
  | { readonly told: 'broken'; readonly problem: string; readonly code: string | null }

/** A file after a rebuild; `problem` where it is not what the manifest says, so that it has to be sent whole. */
export type RebuiltFile = { readonly path: string; readonly problem: string | null }

export const SILENCE_MS = 30_000
/** How often the command gives a sign of life. */
export const STAY_MS = 5_000
