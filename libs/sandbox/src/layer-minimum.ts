import type { TrustLevel } from '@delta-ci/contracts';
import { LAYERS, type Layer, type LayerReport, type LayerState } from './layers.ts';
import type { Refusal } from './refusal.ts';

/** The layers a job insists on, and how much of each. */
export type LayerMinimum = Readonly<Partial<Record<Layer, 'enforced' | 'partial'>>>;

const ISOLATION = {
  filesystem: 'enforced',
  namespaces: 'enforced',
  identity: 'partial',
  seccomp: 'enforced',
  'proc-masks': 'enforced',
} as const;

/**
 * What the tiers that isolate must enforce. A warden that is not root cannot give a job a user id of its own, hence
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
