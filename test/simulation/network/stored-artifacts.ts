import type { Checkpoint, Digest } from '@delta-ci/contracts';

/** What all hosts see of the one directory. */
export class StoredArtifacts {
  readonly objects = new Map<Digest, Uint8Array>();
  readonly logs = new Map<string, Uint8Array[]>();
  readonly checkpoints: Checkpoint[] = [];
  failing = false;
  slowestMs = 10;
}
