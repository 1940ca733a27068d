import { extname } from 'node:path';
import { Worker } from 'node:worker_threads';
import { ImageRefused, refused } from './image-refused.ts';
import type { TreeRecord } from './image-store.ts';
import type { UnpackOrder } from './unpack-image.ts';
import type { Unpacked } from './unpack-worker.ts';

const ENTRY = new URL(`./unpack-worker${extname(import.meta.url)}`, import.meta.url);

/** The tree of the largest image that is let in takes half of it, and the longest names that are let in a fifth more. */
const HEAP_MB_MAX = 1_024;

/**
 * Unpacks an image in a thread of its own: whatever it does, and however long that takes, this process goes on saying that it is
 * alive. When this settles the thread is gone, and touches nothing any more.
 *
 * @param thread what it runs, and how much memory it may have
 * @throws ImageRefused, what the host refuses (a full disk), or the signal's reason
 */
export async function unpackInThread(
  order: UnpackOrder,
  signal: AbortSignal,
  { entry = ENTRY, heapMbMax = HEAP_MB_MAX } = {},
): Promise<TreeRecord> {
  signal.throwIfAborted();
  const { promise, resolve, reject } = Promise.withResolvers<TreeRecord>();
  // Without the environment: it holds what no image has to do with.
  const worker = new Worker(entry, {
    workerData: order,
    env: {},
    resourceLimits: { maxOldGenerationSizeMb: heapMbMax },
  });
  worker.once('message', (unpacked: Unpacked) => {
    if (unpacked.ok) resolve(unpacked.record);
    else reject(new ImageRefused(unpacked.code, unpacked.message));
  });
  worker.once('error', (error: NodeJS.ErrnoException) => {
    reject(error.code === 'ERR_WORKER_OUT_OF_MEMORY' ? refused('the tree of the image takes too much memory') : error);
  });
  worker.once('exit', (code) => reject(new Error(`the thread that unpacks ended with ${code} and said nothing`)));
  const stop = (): void => reject(signal.reason as Error);
  signal.addEventListener('abort', stop, { once: true });
  try {
    return await promise;
  } finally {
    signal.removeEventListener('abort', stop);
    await worker.terminate();
  }
}
