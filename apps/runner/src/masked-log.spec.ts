import { describe, expect, it } from '@jest/globals';
import { SecretMasker } from '@delta-ci/service';
import fc from 'fast-check';
import { LogUpload } from './log-upload.ts';
import { MaskedLog } from './masked-log.ts';

const FAKE = 'not-a-secret-at-all';
const OURS = 'egress denied: example.org:443, nobody allows it';

/** What arrives of a log. */
function aLog(secrets: readonly string[] = [FAKE]) {
  let sent = '';
  const upload = new LogUpload(async (offset, chunk) => {
    sent += Buffer.from(chunk).toString();
    return Promise.resolve(offset + chunk.byteLength);
  });
  return { log: new MaskedLog(new SecretMasker(secrets), upload), sent: () => sent };
}

describe('a log on its way out', () => {
  it('given words of ours while a secret is half said, then they come in a line of their own, and the secret is masked', async () => {
    const { log, sent } = aLog();
    await log.write(Buffer.from(`token: ${FAKE.slice(0, 7)}`));
    await log.say(OURS);
    await log.write(Buffer.from(`${FAKE.slice(7)}\n`));
    await log.end();
    expect(sent()).toBe(`token: \n[delta] ${OURS}\n***\n`);
  });

  it('given a step that ends in the beginning of a secret, then that stands above what is said of its end', async () => {
    const { log, sent } = aLog();
    await log.write(Buffer.from(`token: ${FAKE.slice(0, 7)}`));
    await log.flush();
    await log.say(OURS);
    await log.write(Buffer.from(`${FAKE}\n`));
    await log.end();
    expect(sent()).toBe(`token: ${FAKE.slice(0, 7)}\n[delta] ${OURS}\n***\n`);
  });

  it('given a job that says so, then a secret in words of ours is masked as well', async () => {
    const { log, sent } = aLog();
    await log.say(`egress denied: ${FAKE}.example.org:443, nobody allows it`);
    await log.end();
    expect(sent()).toBe('[delta] egress denied: ***.example.org:443, nobody allows it\n');
  });

  it('given output in any pieces with words of ours anywhere between them, then no part of a secret is said', async () => {
    const text = `before ${FAKE} between ${FAKE}${FAKE} after\n`;
    const cuts = fc.uniqueArray(fc.nat(text.length), { maxLength: 8 });
    await fc.assert(
      fc.asyncProperty(cuts, fc.infiniteStream(fc.boolean()), async (places, says) => {
        const { log, sent } = aLog();
        let from = 0;
        for (const to of [...places.toSorted((one, other) => one - other), text.length]) {
          await log.write(Buffer.from(text.slice(from, to)));
          if (says.next().value === true) await log.say(OURS);
          from = to;
        }
        expect(log.bytes).toBeGreaterThanOrEqual(text.length - 3 * FAKE.length);
        await log.end();
        const job = sent().replaceAll(new RegExp(`\n?\\[delta\\] ${OURS}\n`, 'g'), '');
        expect(job.replaceAll('\n', '')).toMatch(/^before \*\*\* between (?:\*\*\*){1,2} after$/);
        expect(log.bytes).toBe(Buffer.byteLength(sent()));
      }),
      { numRuns: 200 },
    );
  });
});
