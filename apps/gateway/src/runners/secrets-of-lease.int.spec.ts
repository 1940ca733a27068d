import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { LeaseOffer, RegisterRunnerAnswer, refuse, runStream, type Command } from '@delta-ci/contracts';
import type { CommandHandlers } from '@delta-ci/bus';
import { createLocalJWKSet, jwtVerify, type JSONWebKeySet } from 'jose';
import { created, oneJobPlan, planned } from '../../../../test/support/made-up/one-job-run.ts';
import { proposed } from '../../../../test/support/made-up/plan.ts';
import { aRepository } from '../../../../test/support/made-up/repository.ts';
import { CLONE_URL, json, REGISTRATION_TOKEN, testGateway, type TestGateway } from '../gateway.fixture.ts';

const VALUE = 'not-a-secret-of-npm';
const ISSUER = 'https://ci.example.org';
const AUDIENCE = 'https://cloud.example.org';
const RUN_ID = `run_${'5'.repeat(32)}`;

/** What a lease hands out beside the job, with the test in the orchestrator's place. */
describe('the secrets of a lease', () => {
  let gateway: TestGateway;
  let directory: string;
  let runner: RegisterRunnerAnswer;
  let taken: Command[] = [];
  /** What the log says to a hand-out. */
  let noted: 'accepted' | 'forbidden' = 'accepted';

  const BASE = oneJobPlan({ repository: aRepository({ cloneUrl: CLONE_URL }) });
  const plans = {
    granted: withSecrets(['NPM_TOKEN'], 'trusted'),
    unknown: withSecrets(['NPM_TOKEN', 'NOBODYS_TOKEN'], 'trusted'),
    untrusted: withSecrets(['NPM_TOKEN'], 'untrusted'),
    token: withToken('trusted'),
    untrustedToken: withToken('untrusted'),
  };

  function withSecrets(secrets: string[], trust: 'trusted' | 'untrusted'): typeof BASE {
    const jobs = BASE.plan.jobs.map((job) => ({ ...job, secrets }));
    return proposed({ ...BASE.plan, trust, jobs });
  }

  function withToken(trust: 'trusted' | 'untrusted'): typeof BASE {
    const made = withSecrets([], trust);
    const idTokens = [{ name: 'CLOUD_TOKEN', audience: [AUDIENCE] }];
    return proposed({ ...made.plan, jobs: made.plan.jobs.map((job) => ({ ...job, idTokens })) });
  }

  beforeAll(async () => {
    directory = mkdtempSync(join(tmpdir(), 'delta-secrets-'));
    writeFileSync(join(directory, 'npm'), VALUE);
    const provider = { kind: 'files', directory: '.' };
    const grant = { repositories: [BASE.plan.repository.id], provider: 'mounted', secrets: { NPM_TOKEN: 'npm' } };
    const settings = JSON.stringify({
      providers: { mounted: provider },
      grants: [grant],
      protected: [{ repositories: ['*'], refs: [BASE.plan.change.ref] }],
    });
    writeFileSync(join(directory, 'secrets.json'), settings);
    gateway = await testGateway({
      DELTA_SECRETS_FILE: join(directory, 'secrets.json'),
      DELTA_ID_TOKEN_ISSUER: `${ISSUER}/`,
    });
    await gateway.answer(handlers('granted'));
    const registration = {
      name: 'runner-1',
      pool: 'default',
      capabilities: { os: 'linux', arch: 'x64', isolation: ['sandbox'], toolchains: [], labels: [] },
      version: '1',
    };
    const answer = await gateway.call('/runner/v1/runners', { ...json(registration), token: REGISTRATION_TOKEN });
    runner = RegisterRunnerAnswer.parse(await answer.json());
    const events = [...created(RUN_ID, BASE.plan.repository, BASE.plan.change), ...planned(plans.granted)];
    await gateway.append(runStream(RUN_ID), events, Object.values(plans));
  });
  afterAll(async () => {
    await gateway.end();
    rmSync(directory, { recursive: true, force: true });
  });
  beforeEach(() => {
    taken = [];
    noted = 'accepted';
  });

  function handlers(which: keyof typeof plans): CommandHandlers {
    const accept = async <R extends object>(command: Command, result: R) => {
      taken.push(command);
      return Promise.resolve({ ok: true as const, result, position: 1 });
    };
    return {
      'register-runner': async (command) => accept(command, { runnerId: command.data.runnerId }),
      'grant-lease': async (command) =>
        accept(command, {
          lease: {
            runId: RUN_ID,
            jobKey: 'unit',
            attempt: 1,
            fence: 1,
            planDigest: plans[which].digest,
            ttlMs: 120_000,
            heartbeatMs: 20_000,
            acceptanceMs: 30_000,
            maxRuntimeMs: 3_600_000,
            traceparent: null,
          },
        }),
      'hand-out-secrets': async (command) => {
        if (noted === 'accepted') return accept(command, {});
        return Promise.resolve({ ok: false as const, refusal: refuse('forbidden', 'the change is not trusted') });
      },
      'end-unbegun-attempt': async (command) => accept(command, {}),
    };
  }

  async function ask(which: keyof typeof plans): Promise<{ status: number; text: string }> {
    await gateway.answer(handlers(which));
    const answer = await gateway.call('/runner/v1/leases', { ...json({ waitSeconds: 5 }), token: runner.token });
    return { status: answer.status, text: await answer.text() };
  }
  const names = (): string[] => taken.map(({ name }) => name);

  it('given a secret that is granted, then its name is noted first, and the offer has its value', async () => {
    const { status, text } = await ask('granted');
    expect([status, names()]).toEqual([200, ['grant-lease', 'hand-out-secrets']]);
    expect(LeaseOffer.parse(JSON.parse(text)).secrets).toEqual({ NPM_TOKEN: VALUE });
    expect(taken[1]?.data).toMatchObject({
      runnerId: runner.runnerId,
      handOut: { secrets: [{ name: 'NPM_TOKEN', provider: 'mounted' }], idTokens: [] },
    });
    expect(JSON.stringify(taken)).not.toContain(VALUE);
    expect(gateway.lines.join('')).not.toContain(VALUE);
  });

  it('given one that nobody has, then the job ends before it begins, by name, and no value leaves', async () => {
    const { status, text } = await ask('unknown');
    expect([status, text]).toEqual([204, '']);
    expect(names()).toEqual(['grant-lease', 'end-unbegun-attempt']);
    expect(taken[1]?.data).toMatchObject({
      report: {
        outcome: 'failed',
        infrastructureError: { code: 'not_offered', message: expect.stringContaining('NOBODYS_TOKEN') },
      },
    });
  });

  it('given a plan that names secrets for a change that is not trusted, then none is even looked for', async () => {
    expect((await ask('untrusted')).status).toBe(204);
    expect(names()).toEqual(['grant-lease', 'end-unbegun-attempt']);
  });

  it('given a log that refuses the hand-out, then no value leaves', async () => {
    noted = 'forbidden';
    const { status, text } = await ask('granted');
    expect([status, text]).toEqual([204, '']);
    expect(names()).toEqual(['grant-lease', 'end-unbegun-attempt']);
  });

  const wellKnown = async (name: string): Promise<unknown> => (await gateway.call(`/.well-known/${name}`)).json();

  it('given a job that asks for an identity token, then anybody can check who it is for, and what job has it', async () => {
    const { status, text } = await ask('token');
    expect([status, names()]).toEqual([200, ['grant-lease', 'hand-out-secrets']]);
    const token = LeaseOffer.parse(JSON.parse(text)).secrets['CLOUD_TOKEN'] ?? '';
    const found = (await wellKnown('openid-configuration')) as Record<string, unknown>;
    expect(found).toMatchObject({ issuer: ISSUER, jwks_uri: `${ISSUER}/.well-known/jwks.json` });
    const keys = createLocalJWKSet((await wellKnown('jwks.json')) as JSONWebKeySet);
    const { payload } = await jwtVerify(token, keys, { issuer: ISSUER, audience: AUDIENCE, algorithms: ['RS256'] });
    const { plan } = plans.token;
    expect(payload).toMatchObject({
      sub: `repository:${plan.repository.id}:ref_type:branch:ref:main`,
      project_path: plan.repository.fullName,
      repository: plan.repository.id,
      ref_path: 'refs/heads/main',
      ref_protected: true,
      sha: plan.commit,
      run_id: RUN_ID,
      job: 'unit',
      attempt: 1,
      fence: 1,
      user_login: plan.change.author,
    });
    expect((payload.exp ?? 0) - (payload.iat ?? 0)).toBe(3_600);
    const elsewhere = jwtVerify(token, keys, { issuer: ISSUER, audience: 'https://another.example.org' });
    await expect(elsewhere).rejects.toThrow('unexpected "aud" claim value');
    expect(taken[1]?.data).toMatchObject({
      handOut: { secrets: [], idTokens: [{ name: 'CLOUD_TOKEN', audience: [AUDIENCE], tokenId: payload.jti }] },
    });
    expect(JSON.stringify(taken) + gateway.lines.join('')).not.toContain(token);
  });

  it('given a change that is not trusted, then it gets no token', async () => {
    expect((await ask('untrustedToken')).status).toBe(204);
    expect(names()).toEqual(['grant-lease', 'end-unbegun-attempt']);
  });

  it('given an installation without an issuer, then nothing is published', async () => {
    const other = await testGateway();
    expect((await other.call('/.well-known/openid-configuration')).status).toBe(404);
    expect((await other.call('/.well-known/jwks.json')).status).toBe(404);
    await other.end();
  });
});
