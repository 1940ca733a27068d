/** The known name that a wrong one was probably meant to be; null when none is close. */
export function nearestName(wrong: string, known: readonly string[]): string | null {
  const lowered = wrong.toLowerCase().slice(0, 100);
  const ranked = known
    .map((name) => ({ name, distance: editDistance(lowered, name.toLowerCase()) }))
    .sort((one, other) => one.distance - other.distance);
  const [best] = ranked;
  if (best === undefined) return null;
  const { length } = best.name;
  // Two letters in five may be wrong: `retry` is `retries`, but `foo` is not `env`, and `a` is not `b`.
  const close = best.distance <= Math.ceil(Math.max(length, lowered.length) / 2.5);
  return close && best.distance < Math.min(length, lowered.length) ? best.name : null;
}

/** Insertions, deletions and replacements that turn one text into the other. */
function editDistance(one: string, other: string): number {
  let row = Array.from({ length: other.length + 1 }, (_, at) => at);
  for (let at = 1; at <= one.length; at += 1) {
    const next = [at];
    for (let to = 1; to <= other.length; to += 1) {
      const replaced = (row[to - 1] ?? 0) + (one.charAt(at - 1) === other.charAt(to - 1) ? 0 : 1);
      next.push(Math.min(replaced, (row[to] ?? 0) + 1, (next[to - 1] ?? 0) + 1));
    }
    row = next;
  }
  return row.at(-1) ?? 0;
}
