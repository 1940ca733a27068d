import type { ProjectedEvent } from './projected-event.ts';
import { patch, put, type RowChange } from './row-change.ts';
import { runIdOf } from './run-rows.ts';

/** Rows of caches. What one holds never changes; from some time on it is removed. */

export function onCacheSaved(event: ProjectedEvent<'cache.saved'>): RowChange[] {
  const { jobKey, attempt, repository, domain, cache } = event.data;
  const { key, digest, sizeBytes, contentBytes, content } = cache;
  return [
    put('cache', {
      run_id: runIdOf(event),
      job_key: jobKey,
      attempt,
      key,
      repository_id: repository,
      domain,
      digest,
      size_bytes: sizeBytes,
      content_bytes: contentBytes,
      content,
      saved_at_ms: event.atMs,
      removed_at_ms: null,
    }),
  ];
}

export const onCacheRemoved = ({ data, atMs }: ProjectedEvent<'cache.removed'>): RowChange[] =>
  data.caches.map(({ runId, jobKey, attempt, key }) =>
    patch('cache', { run_id: runId, job_key: jobKey, attempt, key }, { removed_at_ms: atMs }),
  );
