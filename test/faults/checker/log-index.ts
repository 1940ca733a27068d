import type { RecordedEvent, RecordedEventOf } from '@delta-ci/contracts';

type OfAttempt = { readonly jobKey: string; readonly attempt: number };

/** The whole log in memory, by what judges ask for. */
export class LogIndex {
  readonly events: readonly RecordedEvent[];
  readonly #byType = new Map<string, RecordedEvent[]>();

  constructor(events: readonly RecordedEvent[]) {
    this.events = events;
    for (const event of events) {
      const known = this.#byType.get(event.type);
      if (known === undefined) this.#byType.set(event.type, [event]);
      else known.push(event);
    }
  }

  of<T extends RecordedEvent['type']>(type: T): readonly RecordedEventOf<T>[] {
    return (this.#byType.get(type) ?? []) as RecordedEventOf<T>[];
  }
}

/** Names a job in the whole log. */
export const jobOf = ({ correlation, data }: { correlation: string | null; data: { jobKey: string } }): string =>
  `${correlation ?? '?'} ${data.jobKey}`;

/** Names an attempt in the whole log; effects are named alike. */
export const attemptOf = (event: { correlation: string | null; data: OfAttempt }): string =>
  `${jobOf(event)} ${event.data.attempt}`;

export const timeOf = ({ time }: { readonly time: string }): number => Date.parse(time);

/** Things by a name they share, in the order they came. */
export function grouped<Item>(items: Iterable<Item>, nameOf: (item: Item) => string): Map<string, Item[]> {
  const groups = new Map<string, Item[]>();
  for (const item of items) {
    const name = nameOf(item);
    const known = groups.get(name);
    if (known === undefined) groups.set(name, [item]);
    else known.push(item);
  }
  return groups;
}
