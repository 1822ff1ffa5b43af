import type { Round } from '../search/contestants.ts'
import type { LineProcess } from './line-process.ts'
import { measureRecall, perSecond, ratioOf, takeTurns } from './rounds.ts'

/** Dense where equal recall is looked for, so that neither is given more than it needs. */
const EFFORTS = [16, 32, 64, 128, 192, 224, 256, 288, 320, 352, 384, 448, 512]
/** The peer's graph is searched with the least effort that reaches this. */
const RECALL = 0.98
/** A round takes milliseconds, so there are many. */
const PAIRS = 61

/** Both graphs with every effort; then the peer's first that reaches RECALL, and ours of the same recall, in turn. */
export async function compareGraphs(
  { ours, hnswlib }: { ours: LineProcess; hnswlib: LineProcess },
  exact: Round,
) {
  const askOurs = (effort: number) => () => ours.ask(`dg_3 ${effort} 1`)
  const askPeer = (effort: number) => () => hnswlib.ask(`${effort} 1`)
  const curve = async (ask: (effort: number) => () => Promise<Round>) => {
    const points: { effort: number; 'queries/s': number; recall: number }[] = []
    for (const effort of EFFORTS) {
      const round = await ask(effort)()
      points.push({ effort, 'queries/s': perSecond([round]), recall: measureRecall(round, exact) })
    }
    return points
  }
  const [mine, theirs] = [await curve(askOurs), await curve(askPeer)]
  console.table(
    Object.fromEntries(
      EFFORTS.map((effort, at) => [
        effort,
        {
          'hnsw queries/s': mine[at]!['queries/s'],
          'hnsw recall': mine[at]!.recall,
          'hnswlib queries/s': theirs[at]!['queries/s'],
          'hnswlib recall': theirs[at]!.recall,
        },
      ]),
    ),
  )
  const peer = theirs.find(({ recall }) => recall >= RECALL) ?? theirs[theirs.length - 1]!
  const own = mine.find(({ recall }) => recall >= peer.recall) ?? mine[mine.length - 1]!
  const rounds = await takeTurns({ own: askOurs(own.effort), peer: askPeer(peer.effort) }, PAIRS)
  const hnswRatio = ratioOf(rounds.own!, rounds.peer!)
  console.table({
    [`hnsw, expansion ${own.effort}`]: { 'queries/s': perSecond(rounds.own!), recall: own.recall },
    [`hnswlib, ef ${peer.effort}`]: { 'queries/s': perSecond(rounds.peer!), recall: peer.recall },
  })
  return { hnswRatio, hnswRecall: own.recall, peerRecall: peer.recall }
}
