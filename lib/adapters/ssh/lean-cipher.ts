import { createSecretKey, type KeyObject, randomFillSync } from 'node:crypto'
import type ssh2 from 'ssh2'

/** What ssh2 encrypts packets with where it has no native part. It declares none of this. */
type Cipher = {
  _encKey: Buffer | KeyObject
  _onWrite: (bytes: Buffer) => void
  /** Memory for a packet with so many bytes of payload, with its length and its padding. */
  allocPacket: (payloadBytes: number) => Buffer
  /** Writes a packet; nobody needs its memory afterwards. */
  encrypt: (packet: Buffer) => void
}

const LENGTH_BYTES = 4
const BLOCK_BYTES = 16
const LEAST_PADDING = 4
/** Of smaller ones, Node.js itself puts many into one piece of memory. */
const SMALL_BYTES = 4096
/** The most that sshd takes in one packet, with what comes before and after. */
const LARGEST_BYTES = 33 * 1024
const RANDOM_BYTES = 4096

/**
 * Has a client that encrypts with AES-GCM do so at the speed of that: ssh2 begins each packet with the bytes of the key, and
 * to take them over costs more than to encrypt 32 KB; and what it leaves to the collector makes that run for a third of the
 * time. To be called whenever keys were agreed on. Changes nothing for other ciphers.
 */
export function makeLean(client: ssh2.Client): void {
  const cipher = (client as unknown as { readonly _protocol?: { readonly _cipher?: Cipher } })._protocol
    ?._cipher
  if (!cipher || !Buffer.isBuffer(cipher._encKey)) return
  cipher._encKey = createSecretKey(cipher._encKey)
  reuseMemory(cipher)
}

/** One packet after the other has the same memory, but one that has to wait: while keys are changed, some are kept back. */
function reuseMemory(cipher: Cipher): void {
  const { _onWrite: write, encrypt } = cipher
  const memory = Buffer.allocUnsafeSlow(LARGEST_BYTES)
  const takeRandom = createRandomBytes()
  let isFree = true
  cipher.allocPacket = (payloadBytes) => {
    const { bytes, padding } = layOut(payloadBytes)
    const isReused = isFree && bytes > SMALL_BYTES && bytes <= LARGEST_BYTES
    if (isReused) isFree = false
    const packet = isReused ? memory.subarray(0, bytes) : Buffer.allocUnsafe(bytes)
    packet.writeUInt32BE(bytes - LENGTH_BYTES, 0)
    packet[LENGTH_BYTES] = padding
    packet.set(takeRandom(padding), bytes - padding)
    return packet
  }
  // The length is sent as it is: by the time it leaves, the next packet is there.
  cipher._onWrite = (bytes) => write(bytes.buffer === memory.buffer ? Buffer.from(bytes) : bytes)
  cipher.encrypt = (packet) => {
    encrypt.call(cipher, packet)
    if (packet.buffer === memory.buffer) isFree = true
  }
}

/** Of a packet: its length, that of its padding, payload, padding; all but the first are whole blocks (RFC 5647). */
function layOut(payloadBytes: number): { readonly bytes: number; readonly padding: number } {
  const unpadded = 1 + payloadBytes
  const fill = BLOCK_BYTES - (unpadded % BLOCK_BYTES)
  const padding = fill < LEAST_PADDING ? fill + BLOCK_BYTES : fill
  return { bytes: LENGTH_BYTES + unpadded + padding, padding }
}

/** Gives out random bytes, each of them once, that are drawn many at a time. */
function createRandomBytes(): (bytes: number) => Buffer {
  const drawn = Buffer.allocUnsafeSlow(RANDOM_BYTES)
  let taken = RANDOM_BYTES
  return (bytes) => {
    if (taken + bytes > RANDOM_BYTES) {
      randomFillSync(drawn)
      taken = 0
    }
    taken += bytes
    return drawn.subarray(taken - bytes, taken)
  }
}
