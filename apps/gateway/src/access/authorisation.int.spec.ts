import { createHash } from 'node:crypto';
import { mkdtemp, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { ENDPOINTS, Role, type Access, type Endpoint } from '@delta-ci/contracts';
import { json, REGISTRATION_TOKEN, testGateway, type TestGateway } from '../gateway.fixture.ts';

/** Fake tokens, one for each role. */
const TOKENS = Role.options.map((role) => ({ role, token: `not-a-secret-${role}` }));
const sha256 = (text: string) => createHash('sha256').update(text).digest('hex');

/** Probes are open by the room that adds them; everything else is in the table. */
const OPEN = ['GET /healthz', 'GET /readyz', 'GET /metrics'];

describe('authorisation', () => {
  let gateway: TestGateway;
  let directory: string;

  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'delta-tokens-'));
    const tokens = TOKENS.map(({ role, token }) => ({ name: `a ${role}`, role, sha256: sha256(token) }));
    await writeFile(join(directory, 'tokens.json'), JSON.stringify({ tokens }));
    gateway = await testGateway({ DELTA_TOKENS_FILE: join(directory, 'tokens.json') });
    await gateway.answer({
      'register-runner': ({ data: { runnerId } }) => Promise.resolve({ ok: true, result: { runnerId }, position: 1 }),
    });
  });
  afterAll(async () => {
    await gateway.end();
    await rm(directory, { recursive: true, force: true });
  });

  it('every route that the router has stands in the table with its rule, and the other way round', () => {
    const inTable = Object.values<Endpoint>(ENDPOINTS).map(({ method, path }) => `${method} ${path}`);
    expect(gateway.routes.toSorted()).toEqual([...inTable, ...OPEN].toSorted());
  });

  /** A path of the right shape, so that only the guard can refuse. */
  const pathOf = ({ path }: Endpoint) =>
    path
      .replace(':runId', `run_${'9'.repeat(32)}`)
      .replace(':leaseId', 'f'.repeat(64))
      .replace(':repository', 'github%2Fdemo%2Fshop')
      .replace(':digest', `sha256:${'0'.repeat(64)}`)
      .replace(/:[a-zA-Z]+/g, 'x');

  /** Whether the guard let the request pass: what comes behind may refuse it for reasons of its own. */
  const isLetIn = async (endpoint: Endpoint, token: string | undefined) => {
    const over = new AbortController();
    const init = { method: endpoint.method, signal: over.signal, ...(token && { token }) };
    const { status } = await gateway.call(pathOf(endpoint), init);
    over.abort();
    return status !== 401 && status !== 403;
  };

  const runnerToken = async () => {
    const capabilities = { os: 'linux', arch: 'x64', isolation: ['process'], toolchains: [], labels: [] };
    const body = { name: 'runner-1', pool: 'default', capabilities, version: '1.0.0' };
    const answer = await gateway.call('/runner/v1/runners', { ...json(body), token: REGISTRATION_TOKEN });
    return ((await answer.json()) as { token: string }).token;
  };

  it('with the proof of a runner exactly the routes of runners open', async () => {
    const token = await runnerToken();
    for (const [name, endpoint] of Object.entries<Endpoint>(ENDPOINTS)) {
      const opens = endpoint.access === 'anyone' || endpoint.access === 'runner';
      expect([name, await isLetIn(endpoint, token)]).toEqual([name, opens]);
    }
  });

  const proofs: readonly { holder: Access | 'nobody'; token: string | undefined; opens: readonly Access[] }[] = [
    { holder: 'nobody', token: undefined, opens: ['anyone'] },
    { holder: 'registration', token: REGISTRATION_TOKEN, opens: ['anyone', 'registration'] },
    { holder: 'viewer', token: 'not-a-secret-viewer', opens: ['anyone', 'viewer'] },
    { holder: 'operator', token: 'not-a-secret-operator', opens: ['anyone', 'viewer', 'operator'] },
    { holder: 'auditor', token: 'not-a-secret-auditor', opens: ['anyone', 'viewer', 'auditor'] },
    { holder: 'admin', token: 'not-a-secret-admin', opens: ['anyone', 'viewer', 'operator', 'auditor', 'admin'] },
  ];

  it.each(proofs)('with the proof of $holder exactly $opens open', async ({ token, opens }) => {
    for (const [name, endpoint] of Object.entries<Endpoint>(ENDPOINTS)) {
      expect([name, await isLetIn(endpoint, token)]).toEqual([name, opens.includes(endpoint.access)]);
    }
  });

  it('given a role that is too low, then the one that is needed is named', async () => {
    const response = await gateway.call('/api/v1/runs', { method: 'POST', token: 'not-a-secret-viewer' });
    expect(await response.json()).toMatchObject({ error: { code: 'forbidden', details: { needed: 'operator' } } });
  });

  it('the administrator token is readable by its owner alone, and its place is logged without it', async () => {
    const line = gateway.lines.find((each) => each.includes('"admin-token"')) ?? '';
    const { place } = JSON.parse(line) as { place: string };
    expect((await stat(place)).mode & 0o777).toBe(0o600);
    expect(line).not.toContain(gateway.adminToken);
  });

  it('probes are answered to anyone', async () => {
    for (const path of ['/healthz', '/readyz', '/metrics']) {
      expect((await gateway.call(path)).status).toBe(200);
    }
  });

  it('every answer forbids browsers to guess, frame or keep it', async () => {
    const { headers } = await gateway.call('/api/v1/runs');
    expect(headers.get('x-content-type-options')).toBe('nosniff');
    expect(headers.get('content-security-policy')).toContain("default-src 'none'");
    expect(headers.get('cache-control')).toBe('no-store');
  });
});
