import type { AuditRecord, LogHead } from '@delta-ci/contracts';
import { chainHash } from '../append/hash-chain.ts';

/** What is wrong with a record that should come right after `before`; null: nothing. */
export function recordProblem(record: AuditRecord, before: LogHead): string | null {
  if (record.position > before.position + 1) return 'the record is missing';
  if (record.position !== before.position + 1) return `a record of position ${record.position} stands in its place`;
  if (record.prevHash !== before.hash) return 'the record does not continue the hash before it';
  if (record.hash !== chainHash(before.hash, record.canonical)) return 'the hash is not that of the text';
  const text = recordIn(record.canonical);
  if (text === null) return 'the text is no record';
  return columnsAgree(record, text) ? null : 'a column says something else than the text';
}

/** The record a text stands for; null when it stands for none. */
export function recordIn(canonical: string): Readonly<Record<string, unknown>> | null {
  try {
    const value: unknown = JSON.parse(canonical);
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : null;
  } catch {
    return null;
  }
}

function columnsAgree({ position, columns }: AuditRecord, text: Readonly<Record<string, unknown>>): boolean {
  const { id, stream, version, type, schemaVersion, time, correlation } = columns;
  return (
    text['position'] === position &&
    text['id'] === id &&
    text['stream'] === stream &&
    text['version'] === version &&
    text['type'] === type &&
    text['schemaVersion'] === schemaVersion &&
    text['time'] === time &&
    text['correlation'] === correlation
  );
}
