/**
 * What a tool says of one commit, in terms that all of them share. Units are told apart by their root folders, from the
 * repository's root with `/` between parts; `.` is the root itself.
 */
export interface OracleAnswer {
  /** Everything the tool lists in that commit, whether or not the change reaches it. */
  readonly units: readonly string[];
  /** Those that the change reaches by the tool's word. */
  readonly affected: readonly string[];
  readonly edges: readonly OracleEdge[];
  /** How many further units the tool names and can say nothing about. */
  readonly unknown: number;
}

/** `from` notices changes of `to`. */
export interface OracleEdge {
  readonly from: string;
  readonly to: string;
  /** Whether what depends on `from` notices as well: not so when only tests of `from` need `to`. */
  readonly passesOn: boolean;
}

/** What a change reaches by itself: what units are `made` of, and what they are only `tested` with. */
export interface DirectlyReached {
  readonly made: Iterable<string>;
  readonly tested: Iterable<string>;
}

/** Everything that is reached along edges, what is reached directly included. */
export function reachedFrom({ made, tested }: DirectlyReached, edges: readonly OracleEdge[]): Set<string> {
  const dependents = Map.groupBy(edges, ({ to }) => to);
  const passing = new Set(made);
  const ending = new Set(tested);
  // A set is iterated in order of insertion, and what is added on the way is visited too.
  for (const unit of passing) {
    for (const { from, passesOn } of dependents.get(unit) ?? []) (passesOn ? passing : ending).add(from);
  }
  return new Set([...passing, ...ending]);
}

/** The unit that a path lies in: the one with the longest root; null when it lies in none. The root itself owns the rest. */
export function ownerAmong(units: ReadonlySet<string>, path: string): string | null {
  for (let end = path.lastIndexOf('/'); end > 0; end = path.lastIndexOf('/', end - 1)) {
    if (units.has(path.slice(0, end))) return path.slice(0, end);
  }
  return units.has('.') ? '.' : null;
}

/** A folder as it is written here: `''`, `./` and `.` are the root. */
export function rootOf(folder: string): string {
  return folder.replace(/^(?:\.\/)+/u, '').replace(/\/+$/u, '') || '.';
}
