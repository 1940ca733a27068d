/**
 * Above what distributions and systemd hand out (its last range ends at 1,879,048,191), below 2^31. With up to 2^22
 * process ids on a host and 32 slots each the range ends at 2,034,217,727.
 */
export const FIRST_USER_ID = 1_900_000_000;
export const SANDBOXES_PER_AGENT = 32;

/**
 * User ids of this agent's sandboxes. Made from the agent's own process id, so that two agents on one host never hand
 * out the same one and need no lock to know it.
 */
export class UserIds {
  private readonly taken = new Set<number>();
  private readonly first: number;

  constructor(agentPid: number) {
    this.first = FIRST_USER_ID + agentPid * SANDBOXES_PER_AGENT;
  }

  /** The lowest free one; null when all are taken. */
  take(): number | null {
    for (let uid = this.first; uid < this.first + SANDBOXES_PER_AGENT; uid += 1) {
      if (this.taken.has(uid)) continue;
      this.taken.add(uid);
      return uid;
    }
    return null;
  }

  giveBack(uid: number): void {
    this.taken.delete(uid);
  }
}
