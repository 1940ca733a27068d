/**
 * Above what distributions and systemd hand out (its last range ends at 1,879,048,191), below 2^31. With up to 2^22
 * process ids on a host and 32 slots each the range ends at 2,034,217,727.
 */
export const FIRST_USER_ID = 1_900_000_000;
export const SANDBOXES_PER_WARDEN = 32;

/**
 * User ids of this warden's sandboxes. Made from the warden's own process id, so that two wardens on one host never hand
 * out the same one and need no lock to know it.
 */
export class UserIds {
  private readonly taken = new Set<number>();
  private readonly first: number;

  constructor(wardenPid: number) {
    this.first = FIRST_USER_ID + wardenPid * SANDBOXES_PER_WARDEN;
  }

  /** The lowest free one; null when all are taken. */
  take(): number | null {
    for (let uid = this.first; uid < this.first + SANDBOXES_PER_WARDEN; uid += 1) {
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

/** One for all executors of this process: two of them must not hand out the same id either. */
export const OWN_USER_IDS = new UserIds(process.pid);
