/** Something with a weight: at least zero. */
export interface Weighted<T> {
  readonly item: T;
  readonly weight: number;
}

/**
 * Items in as many parts as asked, so that none weighs much more than it must: the heaviest goes first, each to the part that
 * is lightest so far (longest processing time first: at most 4/3 - 1/(3 count) of the best there is, Graham, Bounds on
 * Multiprocessing Timing Anomalies, 1969). Parts keep the order of the items, and depend on nothing but that and the weights.
 * @param most items of one part; the bound holds where this does not bite
 */
export function balanced<T>(items: readonly Weighted<T>[], count: number, most = Number.POSITIVE_INFINITY): T[][] {
  const bins = Array.from({ length: count }, () => ({ weight: 0, places: new Array<number>() }));
  const heaviestFirst = items
    .map(({ weight }, place) => ({ weight, place }))
    .sort((one, other) => other.weight - one.weight || one.place - other.place);
  for (const { weight, place } of heaviestFirst) {
    const open = bins.filter(({ places }) => places.length < most);
    const lightest = open.reduce((best, bin) => (bin.weight < best.weight ? bin : best));
    lightest.weight += weight;
    lightest.places.push(place);
  }
  return bins
    .map(({ places }) => new Set(places))
    .map((places) => items.filter((_, place) => places.has(place)).map(({ item }) => item));
}
