import type { ChangedPlace } from './changed-places.ts';
import type { Verdict } from './impact.ts';
import type { World } from './world.ts';

/** A rule looks at one place of a changed file; null when the place is none of its business. */
export type FileRule = (path: string, world: World, holds: ChangedPlace['holds']) => Verdict | null;
