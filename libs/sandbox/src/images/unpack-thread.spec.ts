import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { DEFAULT_IMAGE_LIMITS } from './image-limits.ts';
import { unpackInThread } from './unpack-thread.ts';

const program = (text: string): URL => new URL(`data:text/javascript,${encodeURIComponent(text)}`);

/** Leaves no turn to anybody in its thread. */
const STUCK = program(`
  const shared = new Int32Array(new SharedArrayBuffer(4));
  for (;;) Atomics.wait(shared, 0, 0);
`);
const GREEDY = program('const all = []; for (;;) all.push(new Array(1e6).fill({}));');
const MUTE = program('');
const BROKEN = program("throw Object.assign(new Error('no room'), { code: 'ENOSPC' });");

describe('an image that is unpacked', () => {
  let rootfs: string;
  beforeEach(() => {
    rootfs = mkdtempSync(join(tmpdir(), 'delta-unpack-'));
  });
  afterEach(() => rmSync(rootfs, { recursive: true, force: true }));

  const unpack = async (entry?: URL, signal = new AbortController().signal) =>
    unpackInThread({ layers: [], rootfs, limits: DEFAULT_IMAGE_LIMITS, sharedByModes: false }, signal, {
      ...(entry === undefined ? {} : { entry }),
      heapMbMax: 64,
    });

  it('given one that keeps its thread busy without end, then this one goes on, and ends it', async () => {
    const over = new AbortController();
    const unpacking = unpack(STUCK, over.signal);
    unpacking.catch(() => undefined);
    // Turns of this thread, in which a runner would say that it is alive.
    for (let turn = 0; turn < 100; turn += 1) await new Promise<void>((resolve) => void setImmediate(resolve));
    over.abort(new Error('the lease is gone'));
    await expect(unpacking).rejects.toThrow('the lease is gone');
    await expect(unpack(STUCK, AbortSignal.abort(new Error('too late')))).rejects.toThrow('too late');
  });

  it('given one that takes all memory, then it is refused, and this process stays', async () => {
    await expect(unpack(GREEDY)).rejects.toMatchObject({ code: 'image_refused', message: /memory/ });
  });

  it('given a thread that fails, then why is told', async () => {
    await expect(unpack(BROKEN)).rejects.toThrow('no room');
    await expect(unpack(MUTE)).rejects.toThrow('said nothing');
  });

  it('given an image without a shell, then it is refused as the thread says', async () => {
    await expect(unpack()).rejects.toMatchObject({
      code: 'image_refused',
      message: 'the image has no /bin/sh, which steps are run by',
    });
  });
});
