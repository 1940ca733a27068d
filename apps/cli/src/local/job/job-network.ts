import type { EgressDecision, PlannedJob } from '@delta-ci/contracts';
import { openJobEgress, type EgressBounds } from '@delta-ci/egress';
import type { SandboxNetwork } from '@delta-ci/sandbox';

/**
 * What jobs whose plan names hosts get. `plan`: these hosts and no others, by way of a proxy, as on a runner. `host`: the whole
 * network of this host. `none`: they are not run. Other jobs get none.
 */
export type NetworkChoice = 'plan' | 'host' | 'none';

/** What one job gets. */
export interface JobNetwork {
  readonly network: SandboxNetwork;
  /** What was decided about its connections so far; null where nothing decides. */
  readonly decisions: () => EgressDecision[] | null;
  readonly close: () => void;
}

const withoutProxy = (network: 'none' | 'host'): JobNetwork => ({
  network,
  decisions: () => null,
  close: () => undefined,
});

/**
 * The network of a job of a local run.
 * @param say takes a line for the job's log
 */
export function networkFor(
  { egress: { allow } }: PlannedJob,
  choice: NetworkChoice,
  bounds: EgressBounds,
  say: (line: string) => void,
): JobNetwork {
  if (allow.length === 0) return withoutProxy('none');
  if (choice !== 'plan') return withoutProxy(choice);
  const { outlet, ...egress } = openJobEgress('trusted', allow, bounds, say);
  return { network: outlet, ...egress };
}
