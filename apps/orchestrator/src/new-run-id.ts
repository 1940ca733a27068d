import type { RunId } from '@delta-ci/contracts';
import { v7 } from 'uuid';

/** An id for a new run: sorts by creation time. */
export function newRunId(): RunId {
  return `run_${v7().replaceAll('-', '')}`;
}
