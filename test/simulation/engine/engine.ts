import { AsyncLocalStorage } from 'node:async_hooks';
import { Agenda, type Appointment } from './agenda.ts';
import { Host } from './host.ts';
import { Random } from './random.ts';
import { Trace } from './trace.ts';

/** When every seed begins: a round number of our own, far from the machine's date. */
export const EPOCH_MS = 1_900_000_000_000;
const CLOCK_OFFSET_MAX_MS = 5 * 60_000;

/** So many steps are taken in one turn of the real event loop, which has its own things to do now and then. */
const STEPS_IN_A_TURN = 256;

const acting = new AsyncLocalStorage<Host | null>();
const nextTurn = setImmediate;

/** The simulated process whose code runs now; null when the world itself acts. */
export const actingHost = (): Host | null => acting.getStore() ?? null;

/**
 * Simulated time. One step keeps one appointment and lets every promise that follows from it settle before the next, so
 * the order of everything is decided here and by the seed. What runs belongs to a host or to the world (null): the host
 * is remembered across awaits, which is how a timer or a query finds out whose it is.
 */
export class Engine {
  readonly seed: number;
  readonly trace = new Trace();
  readonly #agenda = new Agenda();
  #nowMs = EPOCH_MS;
  #steps = 0;
  #failure: Error | null = null;

  constructor(seed: number) {
    this.seed = seed;
  }

  /** True time: no host sees it, the database's clock is derived from it. */
  get nowMs(): number {
    return this.#nowMs;
  }

  get steps(): number {
    return this.#steps;
  }

  random(use: string): Random {
    return new Random(this.seed, use);
  }

  /** A new process. Its clock is right, or minutes off. */
  boot(name: string): Host {
    const random = this.random(`host ${name} ${this.#nowMs}`);
    const offset = random.chance(0.3) ? random.between(-CLOCK_OFFSET_MAX_MS, CLOCK_OFFSET_MAX_MS) : 0;
    return new Host(name, random, this.#nowMs, offset);
  }

  /** Makes an appointment with a host, or with the world. */
  after(delayMs: number, host: Host | null, what: string, act: () => void): Appointment {
    const atMs = this.#nowMs + Math.max(0, Math.ceil(delayMs));
    return this.#agenda.add(atMs, what, () => this.#keep(host, what, act));
  }

  thaw(host: Host): void {
    this.trace.note(`${this.#nowMs} ${host.name} thaws`);
    for (const act of host.thaw()) this.after(0, host, 'missed', act);
  }

  /** Ends the seed as failed: something threw where nothing may. */
  fail(error: Error): void {
    this.#failure ??= error;
  }

  /** @throws what failed, also after the last step */
  assertSound(): void {
    if (this.#failure !== null) throw this.#failure;
  }

  /** Steps until `isOver` or until nothing is left to do. `onStep` is told after every step. @throws what a step threw */
  async run(isOver: () => boolean, onStep: () => void): Promise<void> {
    for (let act = this.#next(isOver); act !== null; act = await inTurn(() => this.#takeSteps(isOver, onStep))) act();
  }

  /** Ends the step under way and takes the next ones. @returns the last of them, to be begun; null: it is over */
  #takeSteps(isOver: () => boolean, onStep: () => void): (() => void) | null {
    for (let taken = 0; ; taken += 1) {
      this.assertSound();
      onStep();
      const act = this.#next(isOver);
      if (act === null || taken === STEPS_IN_A_TURN) return act;
      settle(act, (error) => this.fail(error));
    }
  }

  /** Time goes on to the next appointment. @returns what it is about; null: it is over, or nothing is left to do */
  #next(isOver: () => boolean): (() => void) | null {
    while (!isOver()) {
      const appointment = this.#agenda.next();
      if (appointment === undefined) return null;
      if (appointment.run === null) continue;
      this.#nowMs = appointment.atMs;
      this.#steps += 1;
      return appointment.run;
    }
    return null;
  }

  #keep(host: Host | null, what: string, act: () => void): void {
    this.trace.note(`${this.#nowMs} ${host?.name ?? '-'} ${what}`);
    // The world acts in no context of its own: nothing has to be remembered for it.
    if (host === null) act();
    else host.receive(() => acting.run(host, act));
  }
}

/** Does it in a turn of the real event loop of its own. */
function inTurn<T>(act: () => T): Promise<T> {
  return new Promise((resolve, reject) => {
    nextTurn(() => {
      try {
        resolve(act());
      } catch (error) {
        reject(error as Error);
      }
    });
  });
}

/**
 * Does it as a promise's reaction, and returns when every promise that could settle has. Node offers no documented way to
 * let promises settle inside a turn; a turn for each step would take longer than most steps do.
 */
function settle(act: () => void, onError: (error: Error) => void): void {
  void kept.then(act).catch((error: unknown) => onError(error instanceof Error ? error : new Error(String(error))));
  letPromisesSettle();
}

const kept = Promise.resolve();

const letPromisesSettle = Reflect.get(process, '_tickCallback') as () => void;

/** Lets code of a host run right now, inside a step of the world. */
export function actAs<T>(host: Host | null, act: () => T): T {
  return acting.run(host, act);
}
