import type { AuditRecord } from '@delta-ci/contracts';

/** Largest answer, give or take a record: plans and reports of thousands of jobs make records of some hundred kB. */
const TEXT_CHARACTERS_MAX = 4 * 1024 * 1024;

/** As many records from the first on as fit; one always does. */
export function withinBytes(records: readonly AuditRecord[], charactersMax = TEXT_CHARACTERS_MAX): AuditRecord[] {
  let room = charactersMax;
  const last = records.findIndex(({ canonical }) => (room -= canonical.length) < 0);
  return last === -1 ? [...records] : records.slice(0, Math.max(1, last));
}
