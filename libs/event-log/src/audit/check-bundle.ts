import { hash } from 'node:crypto';
import { runStream, type AuditFinding, type Checkpoint } from '@delta-ci/contracts';
import type { TrustedKeys } from '../checkpoints/checkpoint-keys.ts';
import { recordIn } from './record-problem.ts';
import type { BundleSegment, RunBundle } from './run-bundle.ts';

export interface BundleVerdict {
  readonly finding: AuditFinding | null;
  /** Records of the run that were proven, as they were appended. */
  readonly records: readonly ProvenRecord[];
  /** Whether the end of the run is among them. Without it, records after the last may exist and were not shown. */
  readonly ended: boolean;
  readonly checkpoints: readonly Checkpoint[];
}

export interface ProvenRecord {
  readonly position: number;
  readonly type: string;
  readonly time: string;
  readonly data: unknown;
}

/**
 * Proves the records of a bundle from nothing but itself and trusted keys. Every line enters the hash that was signed, so
 * a record that is in it stood in the log at the position it names; versions without a gap say that none between was left
 * out. What was left out at the end cannot be seen, but that the run's own end is not there can.
 */
export function checkBundle({ runId, segments }: RunBundle, keys: TrustedKeys): BundleVerdict {
  const records: ProvenRecord[] = [];
  const verdict = (finding: AuditFinding | null): BundleVerdict => ({
    finding,
    records,
    ended: finding === null && records.some(({ type }) => type === 'run.finished'),
    checkpoints: segments.map(({ checkpoint }) => checkpoint),
  });
  const stream = runStream(runId);
  let version = 0;
  for (const segment of segments) {
    const unproven = segmentProblem(segment, keys);
    if (unproven !== null) return verdict(unproven);
    for (const { position, record } of recordsOf(segment)) {
      if (record === null) return verdict(at(position, 'the line is no record'));
      if (record['stream'] === stream) version += 1;
      const problem = recordProblem(record, { position, runId, stream, version });
      if (problem !== null) return verdict(at(position, problem));
      const { type, time, data } = record;
      records.push({ position, type: String(type), time: String(time), data });
    }
  }
  return verdict(records.length === 0 ? at(0, 'the bundle holds no record of the run') : null);
}

function segmentProblem({ checkpoint, before, lines }: BundleSegment, keys: TrustedKeys): AuditFinding | null {
  const { position, time } = checkpoint;
  const verdict = keys.judge(checkpoint);
  if (verdict !== 'valid') {
    const why =
      verdict === 'invalid' ? 'has a signature that is not of its key' : 'is signed with a key that is not trusted';
    return at(position, `the checkpoint at ${position} of ${time} ${why}`);
  }
  if (chainOf(before, lines) === checkpoint.hash) return null;
  const from = position - lines.length + 1;
  return { position: from, upTo: position, problem: `what was signed at ${position} on ${time} had another hash` };
}

/** The hash a chain of lines leads to: what anybody can do with `sha256sum`. */
export function chainOf(before: string, lines: readonly string[]): string {
  return lines.reduce((prev, line) => hash('sha256', prev + textHashOf(line)), before);
}

const textHashOf = (line: string): string => (isText(line) ? hash('sha256', line) : line);
const isText = (line: string): boolean => line.startsWith('{');

function recordsOf({ checkpoint, lines }: BundleSegment) {
  const first = checkpoint.position - lines.length + 1;
  return lines.flatMap((line, index) => (isText(line) ? [{ position: first + index, record: recordIn(line) }] : []));
}

interface Expected {
  readonly position: number;
  readonly runId: string;
  readonly stream: string;
  readonly version: number;
}

function recordProblem(record: Readonly<Record<string, unknown>>, expected: Expected): string | null {
  if (record['position'] !== expected.position)
    return `the record says that it stands at ${String(record['position'])}`;
  if (record['correlation'] !== expected.runId) return 'the record is not of this run';
  if (record['stream'] !== expected.stream || record['version'] === expected.version) return null;
  return `version ${String(record['version'])} of the run follows version ${expected.version - 1}`;
}

const at = (position: number, problem: string): AuditFinding => ({ position, upTo: position, problem });
