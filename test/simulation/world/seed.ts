import { Engine, EPOCH_MS } from '../engine/engine.ts';
import { enter } from '../engine/present.ts';
import { InvariantBroken, type Counts } from '../invariants/tally.ts';
import { Chaos } from './chaos.ts';
import type { Product } from './product.ts';
import type { Sometime } from './sometimes.ts';
import { World } from './world.ts';

export type Mode = 'safety' | 'liveness';

export interface SeedOrder {
  readonly seed: number;
  readonly mode: Mode;
  /** Ends early, for whoever looks closely. */
  readonly stepsMax?: number;
}

export interface SeedResult {
  readonly seed: number;
  readonly mode: Mode;
  readonly steps: number;
  /** Of everything that happened: the same seed gives the same digest, wherever and whenever. */
  readonly digest: string;
  readonly counts: Counts;
  readonly sometimes: Readonly<Record<Sometime, number>>;
  /** Null when every invariant held. */
  readonly broken: { readonly invariant: string; readonly detail: string; readonly last: readonly string[] } | null;
}

const MINUTE_MS = 60_000;
/** From the end of the last fault. The longest that anything may take: a run's own limit, and its end. */
const BOUND_MS = 25 * MINUTE_MS;
const ACTS_MAX = 14;
/** People go on when the faults are over: what they begin then has no excuse. */
const ACTS_AGAIN_MAX = 3;
const ACTING_AGAIN_MS = 2.5 * MINUTE_MS;

/** Runs one seed. Never throws for what the seed brings to light: that is the result. */
export async function runSeed(product: Product, { seed, mode, stepsMax }: SeedOrder): Promise<SeedResult> {
  const engine = new Engine(seed * 2 + (mode === 'safety' ? 0 : 1));
  const world = new World(engine, product);
  enter(world);
  let broken: SeedResult['broken'] = null;
  try {
    await live(world, mode, stepsMax ?? Number.POSITIVE_INFINITY);
    // What is looked at in the end is followed by no step that would tell.
    engine.assertSound();
  } catch (error) {
    broken = { ...describe(error), last: engine.trace.last() };
  } finally {
    enter(null);
  }
  const { counts } = world.judge.tally;
  return {
    seed,
    mode,
    steps: engine.steps,
    digest: engine.trace.digest(),
    counts,
    sometimes: world.sometimes.counts,
    broken,
  };
}

async function live(world: World, mode: Mode, stepsMax: number): Promise<void> {
  const { engine, judge } = world;
  const random = engine.random('story');
  const troubledMs = random.between(90, mode === 'safety' ? 360 : 240) * 1_000;
  const chaos = new Chaos(world);
  const onStep = () => judge.stepped(world.calmSinceMs, world.isWell);
  const isCut = () => engine.steps >= stepsMax;
  world.open();
  chaos.begin();
  peopleAct(world, 'when people act', random.between(3, ACTS_MAX), troubledMs);
  await engine.run(() => isCut() || engine.nowMs >= EPOCH_MS + troubledMs, onStep);
  if (mode === 'safety' || isCut()) return;
  chaos.end();
  await engine.run(() => isCut() || chaos.isCalm, onStep);
  const calmAtMs = engine.nowMs;
  peopleAct(world, 'when people act again', random.between(1, ACTS_AGAIN_MAX), ACTING_AGAIN_MS);
  const isDone = () => engine.nowMs >= calmAtMs + ACTING_AGAIN_MS && world.isAtRest && judge.quiet.isQuiet;
  const isOver = () => isCut() || engine.nowMs >= calmAtMs + BOUND_MS || isDone();
  await engine.run(isOver, onStep);
  if (isCut()) return;
  judge.quiet.assertEnded(BOUND_MS);
  judge.quiet.assertQuiet({ sandboxes: world.sandboxesLeft, checks: [...world.forge.checks.values()] });
}

function peopleAct({ engine, people }: World, when: string, acts: number, withinMs: number): void {
  const random = engine.random(when);
  for (let act = 0; act < acts; act += 1) {
    engine.after(random.between(1_000, withinMs * 0.8), null, 'somebody acts', () => people.act());
  }
}

function describe(error: unknown): { invariant: string; detail: string } {
  if (error instanceof InvariantBroken) return { invariant: error.invariant, detail: error.message };
  if (error instanceof Error) return { invariant: 'nothing throws', detail: error.stack ?? error.message };
  return { invariant: 'nothing throws', detail: String(error) };
}
