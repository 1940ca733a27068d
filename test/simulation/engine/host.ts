import type { Random } from './random.ts';

/** One simulated process with a clock of its own: it lives, may freeze and thaw, and dies once. */
export class Host {
  readonly name: string;
  readonly random: Random;
  readonly bootedAtMs: number;
  /** What its clock shows beyond the true time, e.g. minutes. */
  clockOffsetMs: number;
  #state: 'running' | 'frozen' | 'dead' = 'running';
  /** What reached it while it was frozen. */
  #backlog: (() => void)[] = [];
  readonly #onDeath: (() => void)[] = [];

  constructor(name: string, random: Random, bootedAtMs: number, clockOffsetMs: number) {
    this.name = name;
    this.random = random;
    this.bootedAtMs = bootedAtMs;
    this.clockOffsetMs = clockOffsetMs;
  }

  get isAlive(): boolean {
    return this.#state !== 'dead';
  }

  get isFrozen(): boolean {
    return this.#state === 'frozen';
  }

  get isRunning(): boolean {
    return this.#state === 'running';
  }

  /** Does it now, later when frozen, never when dead. @returns whether it was done now */
  receive(act: () => void): boolean {
    if (this.#state === 'running') act();
    else if (this.#state === 'frozen') this.#backlog.push(act);
    return this.#state === 'running';
  }

  freeze(): void {
    if (this.#state === 'running') this.#state = 'frozen';
  }

  /** @returns what it missed, in order, for the engine to do one after the other */
  thaw(): (() => void)[] {
    if (this.#state !== 'frozen') return [];
    this.#state = 'running';
    const missed = this.#backlog;
    this.#backlog = [];
    return missed;
  }

  /** As with `kill -9`: nothing of it goes on, and what it had open is closed by the system. */
  die(): void {
    if (this.#state === 'dead') return;
    this.#state = 'dead';
    this.#backlog = [];
    for (const tell of this.#onDeath.splice(0)) tell();
  }

  onDeath(tell: () => void): void {
    if (this.#state === 'dead') tell();
    else this.#onDeath.push(tell);
  }
}
