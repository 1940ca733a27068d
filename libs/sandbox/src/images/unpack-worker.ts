import { parentPort, workerData } from 'node:worker_threads';
import { ImageRefused, type ImageRefusalCode } from './image-refused.ts';
import type { TreeRecord } from './image-store.ts';
import { unpackImage, type UnpackOrder } from './unpack-image.ts';

/** What a thread says of the one image that it was started for. */
export type Unpacked =
  | { readonly ok: true; readonly record: TreeRecord }
  | { readonly ok: false; readonly code: ImageRefusalCode; readonly message: string };

async function unpacked(order: UnpackOrder): Promise<Unpacked> {
  try {
    return { ok: true, record: await unpackImage(order) };
  } catch (reason) {
    if (reason instanceof ImageRefused) return { ok: false, code: reason.code, message: reason.message };
    throw reason;
  }
}

parentPort?.postMessage(await unpacked(workerData as UnpackOrder), []);
