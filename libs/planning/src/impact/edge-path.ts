import type { UnitEdge } from '../model.ts';

/**
 * The edges along which a unit is reached. Units that are reached one through the other share all of their paths but the
 * last edge, so that a chain of thousands costs no more than its length.
 */
export interface EdgePath {
  readonly length: number;
  /** The first edges, at most `FIRST_MAX`. */
  readonly first: readonly UnitEdge[];
  /** The last edge and what led to it; null for a path without any. */
  readonly end: { readonly edge: UnitEdge; readonly before: EdgePath } | null;
}

/** As many as any explanation has of one end. */
export const FIRST_MAX = 450;

export const NO_EDGES: EdgePath = { length: 0, first: [], end: null };

export function withEdge(before: EdgePath, edge: UnitEdge): EdgePath {
  const first = before.length < FIRST_MAX ? [...before.first, edge] : before.first;
  return { length: before.length + 1, first, end: { edge, before } };
}

/** The path, or of one that is longer than twice `count` that many edges of each end; not more than `FIRST_MAX`. */
export function endsOf(path: EdgePath, count: number): UnitEdge[] {
  const shown = Math.min(count, FIRST_MAX);
  if (path.length <= path.first.length) {
    return path.length <= 2 * shown ? [...path.first] : [...path.first.slice(0, shown), ...path.first.slice(-shown)];
  }
  const first = path.length <= 2 * shown ? path.first : path.first.slice(0, shown);
  return [...first, ...lastOf(path, Math.min(shown, path.length - first.length))];
}

function lastOf(path: EdgePath, count: number): UnitEdge[] {
  const edges: UnitEdge[] = [];
  for (let at = path; at.end !== null && edges.length < count; at = at.end.before) edges.push(at.end.edge);
  return edges.reverse();
}
