import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { Secret } from '../config/secret.ts';
import { createRedactor, isSecretField } from './redaction.ts';

const LEASE = 'ab'.repeat(32);

describe('redaction of text', () => {
  it.each([
    ['an authorization header', 'authorization: Bearer fakefakefakefakefake', 'authorization: Bearer [redacted]'],
    ['basic credentials', 'Basic ZmFrZTpmYWtlZmFrZWZha2U= sent', 'Basic [redacted] sent'],
    ['credentials of a URL', 'at postgres://u:p@127.0.0.1/db now', 'at postgres://[redacted]@127.0.0.1/db now'],
    ['a token as user name', 'https://x0123456789abcdefgh@git.test/a', 'https://[redacted]@git.test/a'],
    ['a forge token', `got ghp_${'F'.repeat(36)}.`, 'got [redacted].'],
    ['another forge token', `got glpat-${'f'.repeat(20)}.`, 'got [redacted].'],
    ['a signed token', `eyJ${'a'.repeat(20)}.${'b'.repeat(20)}.${'c'.repeat(20)}`, '[redacted]'],
    ['a signed URL', 'GET /x?a=1&X-Amz-Signature=00ff00ff&b=2', 'GET /x?a=1&X-Amz-Signature=[redacted]&b=2'],
    ['a lease in a path', `POST /runner/v1/leases/${LEASE}/ack`, 'POST /runner/v1/leases/[redacted]/ack'],
    ['a field inside JSON text', `sent {"leaseId":"${LEASE}","fence":2}`, 'sent {"leaseId":"[redacted]","fence":2}'],
    ['a field inside quoted JSON text', String.raw`"{\"token\":\"fake\"}"`, String.raw`"{\"token\":\"[redacted]\"}"`],
    ['a private key', '-----BEGIN PRIVATE KEY-----\nfake\n-----END PRIVATE KEY-----', '[redacted]'],
  ])('hides %s', (_, given, expected) => {
    expect(createRedactor().text(given)).toBe(expected);
  });

  it.each([
    ['basic authentication is not offered'],
    ['the bearer of this message'],
    [`digest sha256:${'0'.repeat(64)}`],
    ['https://git.test/owner/name.git'],
    ['git@git.test:owner/name.git'],
    ['{"leaseHash":"00ff","tokenExpiresAtMs":12}'],
  ])('leaves "%s" alone', (given) => {
    expect(createRedactor().text(given)).toBe(given);
  });

  it('hides learned values wherever they stand, also escaped for JSON', () => {
    const redactor = createRedactor([new Secret('fake "quoted" secret')]);
    expect(redactor.text('a fake "quoted" secret b')).toBe('a [redacted] b');
    expect(redactor.text(JSON.stringify({ note: 'fake "quoted" secret' }))).toBe('{"note":"[redacted]"}');
  });

  it('keeps a JSON line a JSON line, and never lets a learned value through', () => {
    const secret = fc.string({ minLength: 12, maxLength: 40, unit: 'binary' });
    fc.assert(
      fc.property(secret, fc.string(), fc.string(), (value, before, after) => {
        const redactor = createRedactor([new Secret(value)]);
        const line = redactor.text(JSON.stringify({ msg: before + value + after }));
        const parsed: { msg: string } = JSON.parse(line);
        expect(parsed.msg).not.toContain(value);
      }),
    );
  });

  it('stays quick on hostile text', () => {
    const redactor = createRedactor();
    for (const piece of ['a://', 'eyJ', '":"', '-----BEGIN ', 'Bearer ', '?token=']) {
      const hostile = piece.repeat(20_000);
      expect(redactor.text(hostile).length).toBeGreaterThan(0);
    }
  });
});

describe('redaction of fields', () => {
  it('hides credentials by the name of their field, at any depth', () => {
    const fields = {
      headers: { Authorization: 'x', 'X-Api-Key': 'y', cookie: 'z', accept: '*/*' },
      lease_id: LEASE,
      lease_hash: 'kept',
      nested: [{ password: 'p', accessToken: 't' }],
    };
    expect(createRedactor().fields(fields)).toEqual({
      headers: { Authorization: '[redacted]', 'X-Api-Key': '[redacted]', cookie: '[redacted]', accept: '*/*' },
      lease_id: '[redacted]',
      lease_hash: 'kept',
      nested: [{ password: '[redacted]', accessToken: '[redacted]' }],
    });
  });

  it('knows credentials by their names and nothing else', () => {
    const yes = [
      'token',
      'access_token',
      'leaseId',
      'Set-Cookie',
      'proxy-authorization',
      'client_secret',
      'X-Hub-Signature-256',
    ];
    const no = ['leaseHash', 'tokens_used', 'tokenExpiresAtMs', 'author', 'run', 'signature_valid', 'event'];
    expect(yes.filter((name) => !isSecretField(name))).toEqual([]);
    expect(no.filter(isSecretField)).toEqual([]);
  });

  it('prints errors with their causes, and what is in their messages is redacted too', () => {
    const error = new Error('cannot reach nats://u:p@127.0.0.1', { cause: new TypeError('Bearer fakefakefakefake') });
    expect(createRedactor().fields({ err: error })).toMatchObject({
      err: {
        type: 'Error',
        message: 'cannot reach nats://[redacted]@127.0.0.1',
        stack: expect.stringContaining('nats://[redacted]@'),
        cause: { type: 'TypeError', message: 'Bearer [redacted]' },
      },
    });
  });

  it('survives cycles, depth, size and every kind of value', () => {
    const cyclic: Record<string, unknown> = {
      big: 1n,
      bytes: Buffer.alloc(9),
      at: new Date(0),
      bad: new Date(Number.NaN),
    };
    cyclic['self'] = [cyclic, new Map([['k', cyclic]]), new Set([cyclic])];
    const wide = Array.from({ length: 50_000 }, (_, n) => ({ n }));
    const printed = JSON.stringify(createRedactor().fields({ cyclic, wide, long: 'x'.repeat(100_000) }));
    expect(printed.length).toBeLessThan(3_000_000);
    expect(printed).toContain('[9 bytes]');
    expect(printed).toContain('invalid date');
    fc.assert(
      fc.property(fc.object({ withBigInt: true, withDate: true, withMap: true, withSet: true }), (value) => {
        JSON.stringify(createRedactor().fields(value));
      }),
    );
  });
});
