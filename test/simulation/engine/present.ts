import type { Engine } from './engine.ts';
import type { Bus } from '@delta-ci/bus';
import type { Plan } from '@delta-ci/contracts';
import type { DatabaseServer } from '../database/server.ts';
import type { SimulatedHttp } from '../network/simulated-http.ts';
import type { StoredArtifacts } from '../network/stored-artifacts.ts';
import type { PlanningPlaces } from '../world/planning-places.ts';
import type { RunnerParent } from '../world/runners.ts';
import type { Host } from './host.ts';

/** What the stand-ins need of the world of the seed under way. */
export interface Present {
  readonly engine: Engine;
  readonly database: DatabaseServer;
  readonly http: SimulatedHttp;
  readonly artifacts: StoredArtifacts;
  /** Plans by digest, for reruns. */
  readonly plans: Map<string, Plan>;
  readonly planning: PlanningPlaces;
  /** Workspaces in which a job runs, with the host each is on. */
  readonly sandboxes: Map<string, Host>;
  /** Runners that remove what a job left, by the attempt's name. */
  readonly removals: Map<string, Host>;
  /** Share of fetches of sources that fail. */
  readonly sourceFailures: number;
  connectBus(host: Host): Bus;
  /** @returns tells the runner to take no further lease */
  startRunner(name: string, parent: RunnerParent): () => void;
  /** A capability was drawn: it must not be seen anywhere. */
  learnSecret(text: string): void;
}

let present: Present | null = null;

/** Begins a seed, or ends it. The stand-ins find it here: production code cannot hand it to them. */
export function enter(entered: Present | null): void {
  present = entered;
}

/** @throws when no seed is under way: then somebody touches time, chance or the outside while modules are loaded. */
export function world(): Present {
  if (present === null) throw new Error('nothing of the simulated world is there before a seed begins');
  return present;
}

export const engine = (): Engine => world().engine;

export const isPresent = (): boolean => present !== null;
