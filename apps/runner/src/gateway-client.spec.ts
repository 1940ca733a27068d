import { describe, expect, it } from '@jest/globals';
import { leastWaitUnder, refusalIn, Refused, Unreachable } from './gateway-client.ts';

const answer = (status: number, error: object, more: object = {}): Response =>
  new Response(JSON.stringify({ error: { message: 'no', details: {}, ...error }, ...more }), {
    status,
    headers: { 'retry-after': '7' },
  });

describe('an answer that is no yes', () => {
  it('given fields of a newer gateway, then it is the refusal that is known', async () => {
    const refusal = await refusalIn(answer(409, { code: 'stale_lease', retryable: false }, { trace: 'x' }), 'a call');
    expect(refusal).toBeInstanceOf(Refused);
    expect(refusal).toMatchObject({ code: 'stale_lease', stale: true, details: {} });
  });

  it.each([400, 403, 409, 422])('given a code that is not known with %d, then it is a refusal', async (status) => {
    const refusal = await refusalIn(answer(status, { code: 'of_tomorrow' }), 'a call');
    expect(refusal).toBeInstanceOf(Refused);
    expect(refusal).toMatchObject({ code: 'of_tomorrow', stale: false });
  });

  it.each([408, 429, 500, 503])('given a code that is not known with %d, then it may pass', async (status) => {
    const trouble = await refusalIn(answer(status, { code: 'of_tomorrow' }), 'a call');
    expect(trouble).toBeInstanceOf(Unreachable);
    expect(trouble).toMatchObject({ retryAfterMs: 7_000 });
  });

  it.each([
    ['a code that says so', answer(503, { code: 'unavailable', hint: 'soon' })],
    ['no JSON', new Response('<html>', { status: 409 })],
    ['no code of anybody', answer(409, { code: 'Not Found!\n' })],
  ])('given %s, then it may pass', async (_, response) => {
    expect(await refusalIn(response, 'a call')).toBeInstanceOf(Unreachable);
  });
});

it('is waited for as long as it asks for, but under a lease no longer than a quarter of its life', () => {
  const wait = leastWaitUnder(12_000);
  expect([wait(new Unreachable('busy', 2_000)), wait(new Unreachable('busy', 300_000)), wait(new Error())]).toEqual([
    2_000, 3_000, 0,
  ]);
});
