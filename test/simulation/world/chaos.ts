import type { Random } from '../engine/random.ts';
import { CALM } from '../network/weather.ts';
import { FAULTS, loseDispatches, type Fault } from './faults.ts';
import type { World } from './world.ts';

/** A seed with few kinds of faults lets what one of them did come to light before another puts it right. */
const INCLINATIONS = [0.08, 0.2, 0.45];
/** In some seeds a little gets lost all the time. */
const DRIZZLE = { lose: 0.01, repeat: 0.02, delay: 0.02, delayMaxMs: 3_000 };
const PAUSE_MS = { from: 1_500, to: 25_000 };

/**
 * Lets things go wrong, one after the other and beside each other. Each seed has kinds of faults it is inclined to, so
 * that some seeds see much of one kind and others a little of everything.
 */
export class Chaos {
  readonly #world: World;
  readonly #random: Random;
  readonly #inclined: readonly Fault[];
  #under = 0;
  #over = false;

  constructor(world: World) {
    this.#world = world;
    this.#random = world.engine.random('chaos');
    const share = this.#random.pick(INCLINATIONS);
    const inclined = FAULTS.filter(() => this.#random.chance(share));
    this.#inclined = inclined.length === 0 ? FAULTS : inclined;
  }

  begin(): void {
    if (this.#random.chance(0.3)) {
      Object.assign(this.#world.usualWeather, DRIZZLE);
      Object.assign(this.#world.weather, DRIZZLE);
    }
    this.#later();
  }

  /** No more faults; those under way end in their own time. */
  end(): void {
    // What the last fault hides, no other one brings to light by chance.
    if (this.#random.chance(0.5)) this.#happen(loseDispatches);
    this.#over = true;
    this.#world.isTroubled = false;
    Object.assign(this.#world.usualWeather, CALM);
    this.#calmDown();
  }

  get isCalm(): boolean {
    return this.#under === 0;
  }

  #later(): void {
    const waitMs = this.#random.between(PAUSE_MS.from, PAUSE_MS.to);
    this.#world.engine.after(waitMs, null, 'chaos', () => {
      if (this.#over) return;
      this.#happen(this.#random.pick(this.#inclined));
      this.#later();
    });
  }

  #happen(fault: Fault): void {
    const { engine } = this.#world;
    const heal = fault.begin(this.#world, this.#random);
    if (heal === null) return;
    engine.trace.note(`${engine.nowMs} - FAULT ${fault.name}`);
    this.#under += 1;
    this.#world.calmSinceMs = null;
    const lastsMs = this.#random.between(fault.lastsMs.from, fault.lastsMs.to);
    engine.after(lastsMs, null, `${fault.name} is over`, () => {
      heal(lastsMs);
      this.#under -= 1;
      if (this.#under === 0) this.#world.calmSinceMs = this.#world.database.nowMs;
      this.#calmDown();
    });
  }

  /** What got lost all the time does so no more once the last fault is over. */
  #calmDown(): void {
    if (this.#over && this.isCalm) Object.assign(this.#world.weather, CALM);
  }
}
