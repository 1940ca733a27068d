/** How many runs the simulated planner works on at once. */
export const PLANNED_AT_ONCE = 4;

/** Who is being planned, and when the planner last had no place for another. */
export class PlanningPlaces {
  readonly #taken = new Set<string>();
  #fullUntilMs = -Infinity;

  /** A planner that starts has nothing in hand, whatever became of the one before. */
  clear(): void {
    this.#taken.clear();
  }

  take(runId: string): void {
    this.#taken.add(runId);
  }

  leave(runId: string, nowMs: number): void {
    if (this.#taken.size >= PLANNED_AT_ONCE) this.#fullUntilMs = nowMs;
    this.#taken.delete(runId);
  }

  wereFullSince(sinceMs: number): boolean {
    return this.#taken.size >= PLANNED_AT_ONCE || this.#fullUntilMs > sinceMs;
  }
}
