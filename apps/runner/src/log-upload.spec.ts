import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { LOG_BYTES_MAX, LOG_CHUNK_BYTES_MAX } from '@delta-ci/contracts';
import { LogUpload } from './log-upload.ts';

/** A gateway that keeps what it is sent, by offset. */
function keepingGateway() {
  const kept: Uint8Array[] = [];
  const state = {
    calls: 0,
    size: 0,
    get bytes(): Buffer {
      return Buffer.concat(kept);
    },
  };
  const send = async (offset: number, chunk: Uint8Array): Promise<number> => {
    state.calls += 1;
    if (offset !== state.size) throw new Error(`the log continues at ${state.size}, not ${offset}`);
    kept.push(chunk);
    state.size += chunk.byteLength;
    return Promise.resolve(state.size);
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
        expect(log.cutAt).toBeNull();
      }),
      { numRuns: 50 },
    );
  });

  it('law: whatever part of a chunk is taken, the log goes on behind it', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.uint8Array({ minLength: 1, maxLength: 500 }), { maxLength: 10 }), async (chunks) => {
        const { state, send } = keepingGateway();
        const half = async (offset: number, chunk: Uint8Array) =>
          send(offset, chunk.subarray(0, Math.ceil(chunk.byteLength / 2)));
        const log = new LogUpload(half);
        for (const chunk of chunks) await log.write(chunk);
        await log.end();
        expect(state.bytes.equals(Buffer.concat(chunks))).toBe(true);
      }),
      { numRuns: 20 },
    );
  });

  it.each([0, 99])(
    'given a log that is said to go on at %s, where nothing of it can be, then it is given up',
    async (next) => {
      const log = new LogUpload(async () => Promise.resolve(next));
      await log.write(Buffer.from('four'));
      await expect(log.end()).rejects.toThrow(`the log is said to go on at ${next}: 4 bytes were sent at 0`);
    },
  );

  it('given more than a log may hold, then it stays bounded, and says what is left out before its end', async () => {
    const { state, send } = keepingGateway();
    const log = new LogUpload(send, 1_000);
    for (let i = 0; i < 10; i += 1) await log.write(Buffer.alloc(300, 'x'));
    await log.write(Buffer.from('\nError: the last line tells why\n'));
    await log.end();
    expect(state.bytes.byteLength).toBeLessThanOrEqual(1_000);
    const [text = '', marker, cut, ...end] = state.bytes.toString().split('\n');
    expect(text).toMatch(/^x{550,}$/);
    expect(marker).toBe('[delta] the log has reached its limit of 1000 bytes: of what comes now, only the end is kept');
    expect(cut).toBe(`[delta] ${3_001 - text.length} bytes were left out`);
    expect(end).toEqual(['Error: the last line tells why', '']);
    expect([log.cutAt, log.bytes]).toEqual([text.length, state.bytes.byteLength]);
  });

  it('given the real limit, then what stands before the marker is what was written, in order', async () => {
    const { state, send } = keepingGateway();
    const log = new LogUpload(send);
    const lines = Array.from({ length: 65_536 }, (_, at) => `line ${String(at).padStart(9)}\n`);
    const chunk = Buffer.from(lines.join(''));
    for (let i = 0; i * chunk.byteLength <= LOG_BYTES_MAX; i += 1) await log.write(chunk);
    await log.end();
    const { bytes } = state;
    expect(bytes.byteLength).toBeLessThanOrEqual(LOG_BYTES_MAX);
    const end = bytes.indexOf('\n[delta] the log has reached its limit');
    expect(end).toBeGreaterThan(LOG_BYTES_MAX - 66_000);
    for (let at = 0; at < end; at += chunk.byteLength) {
      const length = Math.min(chunk.byteLength, end - at);
      expect(bytes.subarray(at, at + length).equals(chunk.subarray(0, length))).toBe(true);
    }
  });

  it('given a gateway that does not answer, then the writer waits, and no more is held than the limit', async () => {
    const answer = Promise.withResolvers<void>();
    const { state, send } = keepingGateway();
    const log = new LogUpload(async (offset, chunk) => answer.promise.then(async () => send(offset, chunk)));
    let taken = 0;
    const writing = (async () => {
      for (let i = 0; i < 20; i += 1) {
        await log.write(Buffer.alloc(LOG_CHUNK_BYTES_MAX / 2, 'z'));
        taken += LOG_CHUNK_BYTES_MAX / 2;
      }
    })();
    await new Promise(setImmediate);
    expect(taken).toBeLessThanOrEqual(2 * LOG_CHUNK_BYTES_MAX);
    answer.resolve();
    await writing;
    await log.end();
    expect(state.bytes.byteLength).toBe(10 * LOG_CHUNK_BYTES_MAX);
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
