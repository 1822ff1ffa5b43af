/** Something that happens at a time, ms, which may be put off; `place` belongs to the heap. */
export type Due = { due: number; place: number }

/** A binary heap of what is due, whose members know their places, so that one of thousands is moved at once. */
export type EventHeap<Event extends Due> = {
  first(): Event | undefined
  add(event: Event): void
  /** To be called after `due` of a member was changed. */
  move(event: Event): void
  remove(event: Event): void
}

/** An empty heap. */
export function createEventHeap<Event extends Due>(): EventHeap<Event> {
  const events: Event[] = []
  const put = (event: Event, place: number) => {
    events[place] = event
    event.place = place
  }
  const rise = (event: Event) => {
    let { place } = event
    while (place > 0) {
      const above = events[(place - 1) >> 1]!
      if (above.due <= event.due) break
      put(above, place)
      place = (place - 1) >> 1
    }
    put(event, place)
  }
  const sink = (event: Event) => {
    let { place } = event
    for (;;) {
      let below = 2 * place + 1
      if (below >= events.length) break
      if (below + 1 < events.length && events[below + 1]!.due < events[below]!.due) below++
      const least = events[below]!
      if (least.due >= event.due) break
      put(least, place)
      place = below
    }
    put(event, place)
  }
  const move = (event: Event) => {
    rise(event)
    sink(event)
  }
  return {
    first: () => events[0],
    move,
    add(event) {
      event.place = events.length
      events.push(event)
      rise(event)
    },
    remove(event) {
      const last = events.pop()!
      if (last === event) return
      put(last, event.place)
      move(last)
    },
  }
}
