import { randomBytes } from 'node:crypto'
import { messageOf } from '../../domain/errors.ts'
import type { RemoteShell } from '../../ports/remote-shell.ts'
import { encodeFrame, FrameDecoder } from './frames.ts'
import { OrderQueue } from './order-queue.ts'
import type { Order, Report } from './protocol.ts'

/** Why a relay is of no use, where the node itself may be: what it should bring can be sent directly. */
export class RelayProblem extends Error {
  override readonly name = 'RelayProblem'
}

/** What relays are started with. */
export type RelaySettings = {
  readonly shell: RemoteShell
  /** Marks the containers of a fleet, so that those of a dead run are found. */
  readonly fleet: string
  readonly image: string
  /** Names this run of the command; of the same fleet there is no other. */
  readonly run: string
}

export type RelayPlace = {
  readonly node: string
  /** Absolute path of the directory of generations on the node. */
  readonly directory: string
}

/** A relay that was told to start. */
export type RelayLink = {
  /** Resolves once the connection has taken the order, or to false when the relay has ended before. */
  give(order: Order, body?: Uint8Array): Promise<boolean>
  /** Has everything heard that it says from now on; before it was told to begin, it says nothing. */
  hear(onReport: (report: Report) => void): void
  /** Makes it end once it has taken all orders. */
  end(): void
  /** Ends it at once; `ended` then raises the reason. */
  stop(reason: unknown): void
  /** Resolves when it has ended as it was told to. Raises {@link RelayProblem}, and what the shell raises. */
  readonly ended: Promise<void>
}

// Relays of other runs are dead ones: this run has the lock of the fleet. The image is not pulled, as that may take
// longer than all that the relay is for.
const START = `
fleet=$1 run=$2 name=$3 directory=$4 image=$5
others=$(docker ps --all --format '{{.ID}} {{.Label "longshore.run"}}' --filter "label=longshore.relay=$fleet") || exit
echo "$others" | while read -r id other; do
  [ -z "$id" ] || [ "$other" = "$run" ] || docker rm --force "$id" > /dev/null || exit
done || exit
mkdir -p -- "$directory" || exit
exec docker run --rm --interactive --pull never --network host --name "$name" \\
  --label "longshore.relay=$fleet" --label "longshore.run=$run" \\
  --user "$(id -u):$(id -g)" --read-only --cap-drop ALL --security-opt no-new-privileges --memory 256m \\
  --no-healthcheck --log-driver none --volume "$directory:/data" --env DATA_DIR=/data \\
  --entrypoint node "$image" services/relay/main.ts`

/** Starts a relay on a node, in place of what dead runs of the same fleet left there. */
export function startRelay({ shell, fleet, image, run }: RelaySettings, place: RelayPlace): RelayLink {
  const { node, directory } = place
  const orders = new OrderQueue()
  const reports = new FrameDecoder<Report>()
  const stopped = new AbortController()
  let hear: (report: Report) => void = () => undefined
  const onStdout = (block: Uint8Array) => {
    try {
      for (const { header } of reports.push(block)) hear(header)
    } catch (error) {
      stopped.abort(new RelayProblem(`what the relay says makes no sense: ${messageOf(error)}`))
    }
  }
  const name = `longshore-relay-${fleet}-${run}-${randomBytes(3).toString('hex')}`
  const argv = ['env', 'LC_ALL=C', 'sh', '-c', START, 'sh', fleet, run, name, directory, image]
  const ended = shell
    .run(node, argv, { stdin: orders.read(), onStdout, signal: stopped.signal })
    .catch((error: unknown) => {
      throw stopped.signal.aborted ? stopped.signal.reason : error
    })
    .then(({ code, stderr }) => {
      if (code !== 0) throw new RelayProblem(explainExit(code, stderr))
    })
    .finally(() => orders.discard())
  // Whoever waits for it may do so later.
  ended.catch(() => undefined)
  return {
    give: (order, body) => orders.push(encodeFrame(order, body)),
    hear(onReport) {
      hear = onReport
    },
    end: () => orders.close(),
    stop: (reason) => stopped.abort(reason),
    ended,
  }
}

/** The last thing that was said, which is the reason; docker adds advice after its own. */
function explainExit(code: number, stderr: string): string {
  const lines = stderr.split('\n').filter((line) => line.trim() !== '' && !/^(See|Run) 'docker/.test(line))
  return lines.at(-1)?.trim() ?? `the relay ended with exit code ${code}`
}
