import type { TrustLevel } from '@delta-ci/contracts';
import { MINIMUM_LAYERS, refuseMissingLayer } from './layer-minimum.ts';
import type { LayerReport } from './layers.ts';
import { refusal, type Refusal } from './refusal.ts';
import type { SandboxExecutor, TierProbe } from './sandbox-executor.ts';

/** One tier on this host: what it enforces, and whether that is enough for code of each trust level (null: yes). */
export type TierVerdict = TierProbe & { readonly refuses: Readonly<Record<TrustLevel, Refusal | null>> };

function refusalFor(probe: TierProbe, trust: TrustLevel): Refusal | null {
  if (probe.tier === 'process') {
    return trust === 'trusted' ? null : refusal('tier_refuses_untrusted', 'tier process runs trusted code only');
  }
  return refuseMissingLayer(probe.layers, MINIMUM_LAYERS[trust]);
}

/** What each tier can enforce on this host, layer by layer, by trying it. What `delta doctor` shows. */
export const probeHost = (executors: readonly SandboxExecutor[]): Promise<readonly TierVerdict[]> =>
  Promise.all(
    executors.map(async (executor) => {
      const probe = await executor.probe();
      const refuses = { trusted: refusalFor(probe, 'trusted'), untrusted: refusalFor(probe, 'untrusted') };
      return { ...probe, refuses };
    }),
  );

/** Layers that lack the same thing share a line: where a whole tier is missing, what would bring it stands once. */
function layerLines(layers: readonly LayerReport[]): string[] {
  const sharing = Map.groupBy(layers, ({ layer, state, by, remedy }) =>
    JSON.stringify(remedy === null ? layer : [state, by, remedy]),
  );
  return [...sharing.values()].flatMap(([first, ...others]) => {
    if (first === undefined) return [];
    const { state, by, remedy } = first;
    const said = `${state.padEnd(9)} ${by}${remedy === null ? '' : `; to get it: ${remedy}`}`;
    const names = [first, ...others].map(({ layer }) => layer).join(', ');
    return others.length === 0 ? [`  ${names.padEnd(13)} ${said}`] : [`  ${names}`, `  ${' '.repeat(13)} ${said}`];
  });
}

const trustLine = (trust: TrustLevel, refused: Refusal | null): string =>
  `  ${trust} code: ${refused === null ? 'accepted' : `refused, ${refused.message}`}`;

/** The verdicts as lines of text for people. */
export const describeVerdicts = (verdicts: readonly TierVerdict[]): readonly string[] =>
  verdicts.flatMap((verdict) => [
    `tier ${verdict.tier}: ${verdict.usable ? 'usable' : 'not usable on this host'}`,
    ...layerLines(verdict.layers),
    trustLine('trusted', verdict.refuses.trusted),
    trustLine('untrusted', verdict.refuses.untrusted),
  ]);
