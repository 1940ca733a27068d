import type { TrustLevel } from '@delta-ci/contracts';
import type { Refusal } from './refusal.ts';

/**
 * What stands between a step and the host, one promise each:
 * `filesystem` sees only the system read-only, its workspace, its home and the binds it was given;
 * `namespaces` sees and signals only its own processes, IPC objects and host name;
 * `network` reaches only its own loopback;
 * `identity` has no capability and cannot gain one, and owns nothing on the host but its workspace;
 * `seccomp` is refused the system calls that widen the kernel's attack surface;
 * `proc-masks` learns no kernel secrets from /proc and changes nothing there;
 * the limits bound what the job as a whole may use.
 */
export const LAYERS = [
  'filesystem',
  'namespaces',
  'network',
  'identity',
  'seccomp',
  'proc-masks',
  'memory-limit',
  'pids-limit',
  'cpu-limit',
  'disk-limit',
] as const;
export type Layer = (typeof LAYERS)[number];

/** `partial`: something holds, but less than the promise above; `by` says what. */
export type LayerState = 'enforced' | 'partial' | 'missing';

export type LayerReport = {
  readonly layer: Layer;
  readonly state: LayerState;
  /** The mechanism that holds, or what stands in its way. */
  readonly by: string;
  /** How to get the whole layer; null when it is there. */
  readonly remedy: string | null;
};

export type LayerMinimum = Readonly<Partial<Record<Layer, 'enforced' | 'partial'>>>;

const ISOLATION = {
  filesystem: 'enforced',
  namespaces: 'enforced',
  identity: 'partial',
  seccomp: 'enforced',
  'proc-masks': 'enforced',
} as const;

/**
 * What the tiers that isolate must enforce. An agent that is not root cannot give a job a user id of its own, hence
 * `identity: partial`. Strangers' jobs must also be unable to take the host's memory or process table with them and
 * are stopped (if late) when they fill the disk; our own may run on hosts that cannot bound them.
 */
export const MINIMUM_LAYERS: Readonly<Record<TrustLevel, LayerMinimum>> = {
  trusted: ISOLATION,
  untrusted: {
    ...ISOLATION,
    network: 'enforced',
    'memory-limit': 'enforced',
    'pids-limit': 'enforced',
    'disk-limit': 'partial',
  },
};

const RANK: Readonly<Record<LayerState, number>> = { missing: 0, partial: 1, enforced: 2 };

const meets = (reports: readonly LayerReport[], layer: Layer, wanted: LayerState): boolean => {
  const report = reports.find((candidate) => candidate.layer === layer);
  return report !== undefined && RANK[report.state] >= RANK[wanted];
};

/** The refusal for the first layer of `minimum` that `reports` do not meet, or null when all are met. */
export function refuseMissingLayer(reports: readonly LayerReport[], minimum: LayerMinimum): Refusal | null {
  for (const layer of LAYERS) {
    const wanted = minimum[layer];
    if (wanted === undefined || meets(reports, layer, wanted)) continue;
    const report = reports.find((candidate) => candidate.layer === layer);
    const found = report === undefined ? 'not offered by this tier' : `${report.state} (${report.by})`;
    return {
      code: 'layer_missing',
      layer,
      message: `layer ${layer} must be ${wanted} and is ${found}`,
      remedy: report?.remedy ?? null,
    };
  }
  return null;
}
