import { done, type GitResult } from './git-error.ts';
import type { ObjectAnswer } from './batch-answers.ts';
import type { AskOptions, ObjectBatch } from './object-batch.ts';

/** How much a caller is ready to hold. A manifest is rarely above a few hundred KiB, a lockfile above a few MiB. */
export interface BlobCaps {
  /** Bytes of one blob. */
  readonly maxBlobBytes: number;
  /** Bytes of all blobs of one call; blobs are taken in the order asked for until one does not fit. */
  readonly maxTotalBytes: number;
}

/** What became of each id asked for, in the order asked. */
export type BlobAnswer =
  | { readonly kind: 'content'; readonly id: string; readonly content: Buffer }
  | { readonly kind: 'too_large'; readonly id: string; readonly sizeBytes: number }
  | { readonly kind: 'over_total'; readonly id: string; readonly sizeBytes: number }
  | { readonly kind: 'not_a_blob'; readonly id: string; readonly type: string }
  | { readonly kind: 'missing'; readonly id: string };

/** Asked in portions, so that neither side's pipe holds more than a little. */
const IDS_PER_QUESTION = 1_000;

async function askInPortions(
  batch: ObjectBatch,
  ids: readonly string[],
  options: AskOptions,
): Promise<GitResult<ReadonlyMap<string, ObjectAnswer>>> {
  const answers = new Map<string, ObjectAnswer>();
  for (let at = 0; at < ids.length; at += IDS_PER_QUESTION) {
    const portion = await batch.ask(ids.slice(at, at + IDS_PER_QUESTION), options);
    if (!portion.ok) return portion;
    for (const answer of portion.value) answers.set(answer.id, answer);
  }
  return done(answers);
}

/** Decides from sizes alone what may be read, so that an enormous blob is never sent to us. */
function judge(
  ids: readonly string[],
  sizes: ReadonlyMap<string, ObjectAnswer>,
  caps: BlobCaps,
): Map<string, BlobAnswer> {
  const refused = new Map<string, BlobAnswer>();
  let totalBytes = 0;
  for (const id of ids) {
    const size = sizes.get(id);
    if (size === undefined || size.kind === 'missing') refused.set(id, { kind: 'missing', id });
    else if (size.type !== 'blob') refused.set(id, { kind: 'not_a_blob', id, type: size.type });
    else if (size.sizeBytes > caps.maxBlobBytes) refused.set(id, { kind: 'too_large', id, sizeBytes: size.sizeBytes });
    else if (totalBytes + size.sizeBytes > caps.maxTotalBytes) {
      refused.set(id, { kind: 'over_total', id, sizeBytes: size.sizeBytes });
    } else totalBytes += size.sizeBytes;
  }
  return refused;
}

/** Reads blobs within caps: sizes first, then the contents of those that fit. The same id asked twice is read once. */
export async function readBlobsWithin(
  batches: { readonly sizes: ObjectBatch; readonly contents: ObjectBatch },
  ids: readonly string[],
  caps: BlobCaps,
  options: AskOptions,
): Promise<GitResult<BlobAnswer[]>> {
  const distinct = [...new Set(ids)];
  const sizes = await askInPortions(batches.sizes, distinct, options);
  if (!sizes.ok) return sizes;
  const refused = judge(distinct, sizes.value, caps);
  const fitting = distinct.filter((id) => !refused.has(id));
  const contents = await askInPortions(batches.contents, fitting, options);
  if (!contents.ok) return contents;
  return done(
    ids.map((id) => {
      const found = contents.value.get(id);
      if (found?.kind === 'found') return { kind: 'content', id, content: found.content };
      return refused.get(id) ?? { kind: 'missing', id };
    }),
  );
}
