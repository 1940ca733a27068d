import { randomBytes } from 'node:crypto';
import { RegisterRunnerAnswer } from '@delta-ci/contracts';
import { BEAT, BYTES, REPORT, type Bench } from '../bench.ts';
import type { Check } from '../check.ts';
import { digestOf } from '../../runner/lease-book.ts';

const MIB = 1024 ** 2;
const SLOW_S = 25;

const registering: Check = {
  name: 'registering',
  judges: ['registers-runners', 'refuses-strangers', 'refuses-shape', 'refuses-type', 'refuses-size', 'refuses-paths'],
  play: async (bench) => {
    const good = await bench.register();
    const answer = RegisterRunnerAnswer.safeParse(good.json);
    bench.judgeYes('registers-runners', 'a registration', good, 201, answer.success);
    for (const token of [undefined, `${bench.address.token}x`, 'a-token-that-nobody-gave']) {
      const stranger = await bench.send({ path: '/runners', body: '{}', ...(token === undefined ? {} : { token }) });
      bench.judgeNo(
        'refuses-strangers',
        token === undefined ? 'no token' : 'another token',
        stranger,
        401,
        'unauthenticated',
      );
    }
    await refusedShapes(bench);
    const { token } = bench.address;
    const text = await bench.send({ path: '/runners', token, type: 'text/plain', body: '{}' });
    bench.judgeNo('refuses-type', 'a registration as text/plain', text, 415, 'unsupported_media_type');
    const large = await bench.register({ name: 'x'.repeat(2 * MIB) });
    bench.judgeNo('refuses-size', 'a registration of two MiB', large, 413, 'payload_too_large');
    await refusedPaths(bench);
  },
};

async function refusedShapes(bench: Bench): Promise<void> {
  const capabilities = { os: 'linux', arch: 'x64', isolation: ['process'], toolchains: [], labels: [] };
  const cases: readonly (readonly [string, object])[] = [
    ['an unknown field', { colour: 'red' }],
    ['an unknown field deep down', { capabilities: { ...capabilities, colour: 'red' } }],
    ['an unknown value', { capabilities: { ...capabilities, os: 'plan9' } }],
    ['a name of the wrong type', { name: 7 }],
    ['no version', { version: undefined }],
    ['a pool that is no name', { pool: '../pool' }],
  ];
  for (const [what, over] of cases)
    bench.judgeNo('refuses-shape', what, await bench.register(over), 400, 'invalid_request');
  const bodies = [
    ['a body that is cut off', '{"name":'],
    ['a body that is not UTF-8', new Uint8Array([0x22, 0xff, 0xfe, 0x22])],
    ['a list', '[]'],
    ['a body that nests ten thousand deep', `${'['.repeat(10_000)}${']'.repeat(10_000)}`],
  ] as const;
  const { token } = bench.address;
  for (const [what, body] of bodies)
    bench.judgeNo('refuses-shape', what, await bench.send({ path: '/runners', token, body }), 400, 'invalid_request');
}

async function refusedPaths(bench: Bench): Promise<void> {
  const { token } = bench.address;
  const elsewhere = await bench.send({ path: '/no-such-call', token });
  bench.judgeNo('refuses-paths', 'a path of nothing', elsewhere, 404, 'not_found');
  const version = await bench.gateway.send({ path: '/runner/v999/runners', token });
  bench.judgeNo('refuses-paths', 'another version', version, 404, 'not_found');
  const method = await bench.send({ method: 'DELETE', path: '/runners', token });
  bench.judgeNo('refuses-paths', 'DELETE of /runners', method, 405, 'method_not_allowed');
}

const tokens: Check = {
  name: 'tokens',
  judges: ['renews-tokens', 'refuses-tokens', 'answers-in-time', 'bounds-the-wait'],
  play: async (bench) => {
    const runner = await bench.runner();
    const renewal = await bench.send({ path: '/token', token: runner.token });
    const renewed = RegisterRunnerAnswer.safeParse(renewal.json).data;
    bench.judgeYes('renews-tokens', 'a renewal', renewal, 200, renewed?.runnerId === runner.runnerId);
    const changed = runner.token.slice(0, -1) + (runner.token.endsWith('A') ? 'B' : 'A');
    const ask = async (waitSeconds: number, token?: string) =>
      bench.send({ path: '/leases', body: JSON.stringify({ waitSeconds }), ...(token === undefined ? {} : { token }) });
    for (const [what, token] of [
      ['the registration token', bench.address.token],
      ['a token that was changed', changed],
      ['no token', undefined],
    ] as const)
      bench.judgeNo('refuses-tokens', what, await ask(0, token), 401, 'unauthenticated');
    for (const seconds of [31, -1, 1e9])
      bench.judgeNo(
        'bounds-the-wait',
        `waitSeconds ${seconds}`,
        await ask(seconds, runner.token),
        400,
        'invalid_request',
      );
    const askedAtMs = performance.now();
    const reply = await ask(1, renewed?.token ?? runner.token);
    const tookMs = performance.now() - askedAtMs;
    const answered = (reply.status === 204 || reply.status === 200) && tookMs < SLOW_S * 1_000;
    const expected = `204, or 200 with a lease, for waitSeconds 1 within ${SLOW_S} s`;
    bench.judge('answers-in-time', answered, expected, `${reply.status} after ${Math.round(tookMs)} ms`, [reply]);
  },
};

const unknownLeases: Check = {
  name: 'leases that nobody was given',
  judges: ['refuses-lease-ids'],
  play: async (bench) => {
    const { token } = await bench.runner();
    const words = wordsUnder(randomBytes(32).toString('hex'), token);
    for (const word of words) {
      const reply = await bench.send(word);
      bench.judgeNo('refuses-lease-ids', 'a lease that was never given', reply, 409, 'stale_lease');
    }
    for (const leaseId of ['short', 'G'.repeat(64)])
      bench.judgeNo(
        'refuses-lease-ids',
        'no lease id',
        await bench.send({ path: `/leases/${leaseId}/ack`, token }),
        400,
        'invalid_request',
      );
  },
};

/** Everything that can be said under a lease, but for its acknowledgement. */
export function wordsUnder(leaseId: string, token: string) {
  const at = `/leases/${leaseId}`;
  const bytes = Buffer.from('x');
  const digest = digestOf(bytes);
  const announced = JSON.stringify({ name: 'a', type: 'file', digest, sizeBytes: 1, retentionDays: 1 });
  const query = new URLSearchParams({ name: 'a', type: 'file', digest, retention_days: '1' }).toString();
  return [
    { path: `${at}/heartbeat`, token, body: JSON.stringify(BEAT) },
    { path: `${at}/log?offset=0`, token, type: BYTES, body: 'x' },
    { method: 'PUT' as const, path: `${at}/artifacts?${query}`, token, type: BYTES, body: bytes },
    { path: `${at}/uploads`, token, body: announced },
    { path: `${at}/complete`, token, body: JSON.stringify(REPORT) },
    { path: `${at}/cancel-ack`, token, body: JSON.stringify({ ...REPORT, outcome: 'canceled' }) },
  ];
}

/** What needs no job. */
export const comingIn: readonly Check[] = [registering, tokens, unknownLeases];
