import type { CommandName } from '@delta-ci/contracts';

/**
 * Commands by what refusing one would cost. Under too much load new work is refused, and whoever asked for it comes again;
 * work that runs must be heard of, or it would be lost and done twice.
 */
export type CommandKind = 'new-work' | 'work-under-way' | 'waiting-runner';

const KIND_OF: Readonly<Record<CommandName, CommandKind>> = {
  'accept-delivery': 'new-work',
  'request-run': 'new-work',
  rerun: 'new-work',
  debug: 'new-work',
  'set-policy': 'new-work',
  'settle-parked': 'new-work',
  'hand-out-secrets': 'work-under-way',
  'end-unbegun-attempt': 'work-under-way',
  'acknowledge-lease': 'work-under-way',
  'open-debug': 'work-under-way',
  heartbeat: 'work-under-way',
  'complete-attempt': 'work-under-way',
  'acknowledge-cancel': 'work-under-way',
  'record-artifact': 'work-under-way',
  'record-cache': 'work-under-way',
  'remove-caches': 'new-work',
  // These make the load less: an operator stops a run, a runner comes to help.
  'cancel-run': 'work-under-way',
  'register-runner': 'work-under-way',
  'grant-lease': 'waiting-runner',
};

/** Commands in hand at once, by kind: what one kind takes is never missing to another. */
export type CommandRoomLimits = Readonly<Record<CommandKind, number>>;

/**
 * New work: two full transactions of the log, so that what comes from running work waits for some tens of milliseconds
 * at most. Work under way: the heartbeats of ten thousand runners at the same moment. Waiting runners: each is a timer
 * and some hundred bytes for as long as it waits.
 */
export const COMMAND_ROOM: CommandRoomLimits = {
  'new-work': 512,
  'work-under-way': 10_000,
  'waiting-runner': 20_000,
};

/** Counts the commands in hand. */
export class CommandRoom {
  readonly #limits: CommandRoomLimits;
  readonly #inHand: Record<CommandKind, number> = { 'new-work': 0, 'work-under-way': 0, 'waiting-runner': 0 };

  constructor(limits: CommandRoomLimits = COMMAND_ROOM) {
    this.#limits = limits;
  }

  /** Takes room for a command. @returns what gives it back, to be called once; null when there is none left */
  enter(name: CommandName): (() => void) | null {
    const kind = KIND_OF[name];
    if (this.#inHand[kind] >= this.#limits[kind]) return null;
    this.#inHand[kind] += 1;
    return () => {
      this.#inHand[kind] -= 1;
    };
  }
}
