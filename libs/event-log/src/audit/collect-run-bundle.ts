import { hash } from 'node:crypto';
import type { AuditRecord, Checkpoint, KeyId, RunId } from '@delta-ci/contracts';
import type { TrustedKeys } from '../checkpoints/checkpoint-keys.ts';
import type { AuditSource } from './audit-source.ts';
import type { BundleSegment, RunBundle } from './run-bundle.ts';

export type CollectedBundle =
  | { readonly kind: 'collected'; readonly bundle: RunBundle }
  | { readonly kind: 'no-such-run' }
  /** `position`: of the first record of the run that no trusted checkpoint covers yet. */
  | { readonly kind: 'not-signed-yet'; readonly position: number };

/**
 * Collects what proves a run: for each group of its records the stretch up to the next checkpoint, so that a run which
 * took hours needs a thousand foreign hashes here and there and not all of them. Checks nothing but that there are
 * checkpoints of trusted keys: `checkBundle` does.
 */
export async function collectRunBundle(source: AuditSource, runId: RunId, keys: TrustedKeys): Promise<CollectedBundle> {
  const positions = await positionsOf(source, runId);
  const [first] = positions;
  if (first === undefined) return { kind: 'no-such-run' };
  const segments: BundleSegment[] = [];
  let rest = positions;
  for await (const checkpoint of source.checkpoints(first - 1)) {
    const [next] = rest;
    if (next === undefined) break;
    if (checkpoint.position < next || keys.judge(checkpoint) !== 'valid') continue;
    segments.push(await segmentUpTo(source, checkpoint, next, new Set(rest)));
    rest = rest.filter((position) => position > checkpoint.position);
  }
  const [uncovered] = rest;
  if (uncovered !== undefined) return { kind: 'not-signed-yet', position: uncovered };
  return { kind: 'collected', bundle: { runId, keys: keysOf(segments, keys), segments } };
}

async function positionsOf(source: AuditSource, runId: RunId): Promise<number[]> {
  const positions: number[] = [];
  for await (const page of source.recordsOfRun(runId)) positions.push(...page.map(({ position }) => position));
  return positions;
}

async function segmentUpTo(
  source: AuditSource,
  checkpoint: Checkpoint,
  first: number,
  ofRun: ReadonlySet<number>,
): Promise<BundleSegment> {
  const lines: string[] = [];
  let before = '';
  for await (const page of source.records({ after: first - 1, to: checkpoint.position })) {
    if (lines.length === 0) before = page[0]?.prevHash ?? '';
    lines.push(...page.map((record) => lineOf(record, ofRun)));
  }
  return { checkpoint, before, lines };
}

const lineOf = ({ position, canonical }: AuditRecord, ofRun: ReadonlySet<number>): string =>
  ofRun.has(position) ? canonical : hash('sha256', canonical);

function keysOf(segments: readonly BundleSegment[], keys: TrustedKeys): Map<KeyId, string> {
  const ids = new Set(segments.map(({ checkpoint }) => checkpoint.keyId));
  return new Map([...ids].map((id) => [id, keys.pem(id) ?? '']));
}
