/** One direction of a link: `capacity` in bytes per ms, shared fairly by what flows through it. */
export type Link = { readonly capacity: number; readonly flows: Flow[]; used: number }

/** A transfer as a fluid: it runs at the rate that both of its links leave it. */
export type Flow = {
  readonly out: Link
  readonly into: Link
  /** Bytes that had not arrived at `at`, and the rate since then. */
  left: number
  at: number
  rate: number
  due: number
  /** What it could take, as its link sees it when it is shared. */
  most: number
}

/** A link that nothing flows through; `capacity` in bytes per ms. */
export function createLink(capacity: number): Link {
  return { capacity, flows: [], used: 0 }
}

/** Lets a flow begin; calls back with each flow whose end was moved. */
export function addFlow(flow: Flow, now: number, moved: (flow: Flow) => void): void {
  flow.at = now
  flow.out.flows.push(flow)
  flow.into.flows.push(flow)
  share(flow.out, { now, moved, begun: flow })
  share(flow.into, { now, moved })
}

/** Takes a flow that ended, or hangs, off its links; what it used goes to the others there. */
export function removeFlow(flow: Flow, now: number, moved: (flow: Flow) => void): void {
  for (const link of [flow.out, flow.into]) {
    link.flows.splice(link.flows.indexOf(flow), 1)
    link.used -= flow.rate
  }
  flow.left -= flow.rate * (now - flow.at)
  flow.rate = 0
  share(flow.out, { now, moved })
  share(flow.into, { now, moved })
}

type Sharing = { readonly now: number; readonly moved: (flow: Flow) => void; readonly begun?: Flow }

/**
 * Shares one link by max-min fairness among its flows, each of which takes at most what is free on its other link.
 * Other links are left alone until something happens there: never more than there is, sometimes a little less.
 */
function share(link: Link, { now, moved, begun }: Sharing): void {
  const { flows } = link
  for (const flow of flows) flow.most = findMost(link, flow, begun)
  flows.sort((one, other) => one.most - other.most)
  let free = link.capacity
  let count = flows.length
  for (const flow of flows) {
    const rate = Math.min(flow.most, free / count--)
    free -= rate
    if (rate === flow.rate) continue
    setRate(flow, rate, now)
    moved(flow)
  }
}

function findMost(link: Link, flow: Flow, begun: Flow | undefined): number {
  const other = flow.out === link ? flow.into : flow.out
  const most = flow.rate + Math.max(0, other.capacity - other.used)
  return flow === begun ? Math.max(most, other.capacity / other.flows.length) : most
}

function setRate(flow: Flow, rate: number, now: number): void {
  flow.left -= flow.rate * (now - flow.at)
  flow.at = now
  flow.out.used += rate - flow.rate
  flow.into.used += rate - flow.rate
  flow.rate = rate
  flow.due = rate > 0 ? now + Math.max(0, flow.left) / rate : Number.POSITIVE_INFINITY
}
