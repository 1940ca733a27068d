import type { Readable } from 'node:stream';
import type { StoredContent } from '@delta-ci/artifact-store';
import { ARTIFACT_BYTES_MAX, type Digest } from '@delta-ci/contracts';
import type { GatewayParts } from '../parts.ts';

const MS_PER_S = 1_000;

/** Stores an upload under its digest, and measures it. @throws StoreError when it is too large or not what was announced */
export async function storeArtifact(
  { store, metrics }: Pick<GatewayParts, 'store' | 'metrics'>,
  source: Readable,
  expected: Digest,
): Promise<StoredContent> {
  const startedMs = performance.now();
  let result = 'refused';
  try {
    const stored = await store.artifacts.put(source, { expected, sizeBytesMax: ARTIFACT_BYTES_MAX });
    result = 'stored';
    metrics.uploadSize.record(stored.sizeBytes);
    return stored;
  } finally {
    metrics.uploadDuration.record((performance.now() - startedMs) / MS_PER_S, { result });
  }
}
