import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { LogUpload } from './log-upload.ts';

/** A gateway that keeps what it is sent, by offset. */
function keepingGateway() {
  const state = { bytes: Buffer.alloc(0), calls: 0 };
  const send = async (offset: number, chunk: Uint8Array): Promise<number> => {
    state.calls += 1;
    if (offset !== state.bytes.byteLength)
      throw new Error(`the log continues at ${state.bytes.byteLength}, not ${offset}`);
    state.bytes = Buffer.concat([state.bytes, chunk]);
    return Promise.resolve(state.bytes.byteLength);
  };
  return { state, send };
}

describe('uploading a log', () => {
  it('law: what was written is what arrives, in order, whatever the chunks', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.uint8Array({ maxLength: 2_000 }), { maxLength: 30 }), async (chunks) => {
        const { state, send } = keepingGateway();
        const log = new LogUpload(send);
        for (const chunk of chunks) await log.write(chunk);
        await log.end();
        expect(state.bytes.equals(Buffer.concat(chunks))).toBe(true);
        expect(log.bytes).toBe(state.bytes.byteLength);
        expect(log.truncated).toBe(false);
      }),
      { numRuns: 50 },
    );
  });

  it('given more than a log may hold, then it ends with a marker and stays bounded', async () => {
    const { state, send } = keepingGateway();
    const log = new LogUpload(send, 1_000);
    for (let i = 0; i < 10; i += 1) await log.write(Buffer.alloc(300, 'x'));
    await log.end();
    expect(state.bytes.byteLength).toBe(1_000);
    expect(state.bytes.toString()).toMatch(/x\n\[delta\] the log ends here: it reached its limit of 1000 bytes\n$/);
    expect(log.truncated).toBe(true);
  });

  it('given a flood, then the writer waits for the upload instead of filling memory', async () => {
    const { state, send } = keepingGateway();
    const log = new LogUpload(send);
    for (let i = 0; i < 40; i += 1) await log.write(Buffer.alloc(256 * 1024, 'y'));
    expect(state.calls).toBeGreaterThan(3);
    await log.end();
    expect(state.bytes.byteLength).toBe(40 * 256 * 1024);
  });

  it('given a log that cannot be uploaded any more, then the writer is told', async () => {
    const log = new LogUpload(async () => Promise.reject(new Error('stale_lease')));
    await log.write(Buffer.from('a'));
    await expect(log.end()).rejects.toThrow('stale_lease');
    await expect(log.write(Buffer.from('b'))).rejects.toThrow('stale_lease');
  });
});
