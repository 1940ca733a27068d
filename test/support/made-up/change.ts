import type { Change } from '@delta-ci/contracts';

/** A trusted push to the default branch, with nothing it could be compared with. */
export function aChange(over: Partial<Change> = {}): Change {
  return {
    kind: 'push',
    ref: 'refs/heads/main',
    base: null,
    head: 'b'.repeat(40),
    targetRef: null,
    pullRequest: null,
    title: 'a change',
    author: 'ada',
    trust: 'trusted',
    ...over,
  };
}
