import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { digestOf } from '@delta-ci/artifact-store';
import {
  ARTIFACT_BYTES_MAX,
  GrantUploadAnswer,
  RegisterRunnerAnswer,
  runStream,
  type Command,
  type UploadGrant,
} from '@delta-ci/contracts';
import {
  whereObjectsAreServed,
  type FreshBucket,
  type ServedObjects,
} from '../../../../test/support/infra/object-server.ts';
import { JOB } from '../../../../test/support/made-up/one-job-run.ts';
import { json, REGISTRATION_TOKEN, testGateway, type TestGateway } from '../gateway.fixture.ts';
import { aRunAtWork, recordedArtifact, RUN_ID } from '../run-story.fixture.ts';

const LEASE_ID = 'e'.repeat(64);
const registration = {
  name: 'runner-1',
  pool: 'default',
  capabilities: { os: 'linux', arch: 'x64', isolation: ['process'], toolchains: [], labels: [] },
  version: '1.0.0',
};
const artifactOf = (bytes: Buffer) => ({
  name: 'out/report.xml',
  type: 'junit' as const,
  digest: digestOf(bytes),
  sizeBytes: bytes.byteLength,
  retentionDays: 7,
});

/** A gateway with a runner at work, and what it was told to record. */
class WorkingGateway {
  readonly gateway: TestGateway;
  readonly recorded: Command<'record-artifact'>[] = [];
  #token = '';

  private constructor(gateway: TestGateway) {
    this.gateway = gateway;
  }

  static async open(settings: Readonly<Record<string, string>> = {}): Promise<WorkingGateway> {
    const working = new WorkingGateway(await testGateway(settings));
    await working.gateway.answer({
      'register-runner': ({ data: { runnerId } }) => Promise.resolve({ ok: true, result: { runnerId }, position: 1 }),
      'record-artifact': (command) => {
        working.recorded.push(command);
        return Promise.resolve({ ok: true, result: {}, position: 1 });
      },
    });
    const { runnerId, token } = await working.register();
    working.#token = token;
    await aRunAtWork(working.gateway, LEASE_ID, runnerId);
    return working;
  }

  async register(): Promise<RegisterRunnerAnswer> {
    const answer = await this.gateway.call('/runner/v1/runners', { ...json(registration), token: REGISTRATION_TOKEN });
    return RegisterRunnerAnswer.parse(await answer.json());
  }

  async ask(what: string, body: unknown, token = this.#token) {
    const init = { ...json(body), token };
    const response = await this.gateway.call(`/runner/v1/leases/${LEASE_ID}/${what}`, init);
    const answer = (await response.json()) as Record<string, unknown>;
    return { status: response.status, answer, code: (answer['error'] as { code: string } | undefined)?.code };
  }

  /** The status of an upload through the gateway. */
  async put(body: string, { name, type, digest, retentionDays }: ReturnType<typeof artifactOf>): Promise<number> {
    const query = new URLSearchParams({ name, type, digest, retention_days: String(retentionDays) });
    const path = `/runner/v1/leases/${LEASE_ID}/artifacts?${query.toString()}`;
    const headers = { 'content-type': 'application/octet-stream' };
    const response = await this.gateway.call(path, { method: 'PUT', body, headers, token: this.#token });
    await response.arrayBuffer();
    return response.status;
  }

  async grant(bytes: Buffer): Promise<UploadGrant | null> {
    return GrantUploadAnswer.parse((await this.ask('uploads', artifactOf(bytes))).answer).grant;
  }
}

describe('uploads where the store is a directory', () => {
  let working: WorkingGateway;
  beforeAll(async () => {
    working = await WorkingGateway.open();
  });
  afterAll(async () => working.gateway.end());

  it('when one is asked for, then it goes through the gateway', async () => {
    expect(await working.grant(Buffer.from('x'))).toBeNull();
  });

  it.each(['../../etc/passwd', '/etc/passwd', 'out/.git/config', 'out\\..\\..\\x', 'out//x'])(
    'when one is called %j, then it is refused by whatever way it comes',
    async (name) => {
      const artifact = { ...artifactOf(Buffer.from('x')), name };
      expect(await working.ask('uploads', artifact)).toMatchObject({ status: 400, code: 'invalid_request' });
      const upload = { ...artifact, uploadId: null };
      expect(await working.ask('artifacts', upload)).toMatchObject({ status: 400, code: 'invalid_request' });
      expect(await working.put('x', { ...artifact, name })).toBe(400);
      expect(working.recorded).toEqual([]);
    },
  );

  it('when one that was never granted is to be recorded, then there is no such thing', async () => {
    const upload = { ...artifactOf(Buffer.from('x')), uploadId: null };
    expect(await working.ask('artifacts', upload)).toMatchObject({ status: 404, code: 'not_found' });
    expect(working.recorded).toEqual([]);
  });
});

await whereObjectsAreServed('uploads where the store', (server) => {
  let served: ServedObjects;
  let bucket: FreshBucket;
  let working: WorkingGateway;
  beforeAll(async () => {
    served = await server();
    bucket = await served.freshBucket();
    working = await WorkingGateway.open({
      DELTA_ARTIFACT_STORE: 's3',
      DELTA_ARTIFACT_S3_BUCKET: bucket.name,
      DELTA_ARTIFACT_S3_PREFIX: 'delta/',
      DELTA_ARTIFACT_S3_REGION: served.region,
      DELTA_ARTIFACT_S3_ENDPOINT: served.endpoint,
      DELTA_ARTIFACT_S3_PATH_STYLE: String(served.pathStyle),
      DELTA_ARTIFACT_S3_ACCESS_KEY_ID: served.credentials.accessKeyId,
      DELTA_ARTIFACT_S3_SECRET_ACCESS_KEY: served.credentials.secretAccessKey,
    });
  });
  afterAll(async () => {
    await working.gateway.end();
    await bucket.drop();
    await served.end();
  });

  it('grants one for this object, and records it once it stands, as often as that is said', async () => {
    const bytes = Buffer.from('<testsuites/>');
    const [granted] = (await working.grant(bytes))?.requests ?? [];
    const upload = { ...artifactOf(bytes), uploadId: null };
    expect(await working.ask('artifacts', upload)).toMatchObject({ status: 404, code: 'not_found' });
    expect(working.recorded).toEqual([]);
    const { url = '', method = '', headers = {} } = granted ?? {};
    expect((await fetch(url, { method, headers, body: bytes })).status).toBe(200);
    for (let times = 0; times < 2; times += 1) {
      expect(await working.ask('artifacts', upload)).toMatchObject({
        status: 200,
        answer: { digest: digestOf(bytes), sizeBytes: bytes.byteLength },
      });
    }
    expect(working.recorded.map(({ data }) => data.artifact)).toEqual([artifactOf(bytes), artifactOf(bytes)]);
    expect(new Set(working.recorded.map(({ id }) => id)).size).toBe(1);
    expect((await bucket.keys()).every((key) => key.startsWith('delta/artifacts/sha256/'))).toBe(true);
  });

  it('refuses what is too large, another runner, and a size that is not the one that stands', async () => {
    const tooLarge = { ...artifactOf(Buffer.from('x')), sizeBytes: ARTIFACT_BYTES_MAX + 1 };
    expect(await working.ask('uploads', tooLarge)).toMatchObject({ status: 413, code: 'payload_too_large' });
    const { token } = await working.register();
    const artifact = artifactOf(Buffer.from('<testsuites/>'));
    expect(await working.ask('uploads', artifact, token)).toMatchObject({ status: 409, code: 'stale_lease' });
    const upload = { ...artifact, uploadId: null };
    expect(await working.ask('artifacts', upload, token)).toMatchObject({ status: 409, code: 'stale_lease' });
    const lying = { ...upload, sizeBytes: 1 };
    expect(await working.ask('artifacts', lying)).toMatchObject({ status: 422, code: 'digest_mismatch' });
  });

  it('sends whoever downloads to the store, which gives a file that no browser shows', async () => {
    const bytes = Buffer.from('<testsuites/>');
    await working.gateway.append(runStream(RUN_ID), [
      recordedArtifact('out/it’s a report.xml', digestOf(bytes), bytes.byteLength),
      recordedArtifact('out/gone.xml', digestOf('gone'), 4),
    ]);
    const download = async (digest: string) =>
      working.gateway.call(`/api/v1/runs/${RUN_ID}/jobs/${JOB}/artifacts/${digest}`, {
        token: working.gateway.adminToken,
        redirect: 'manual',
      });
    const response = await download(digestOf(bytes));
    expect([response.status, response.headers.get('cache-control')]).toEqual([302, 'no-store']);
    const given = await fetch(response.headers.get('location') ?? '');
    expect(await given.text()).toBe(bytes.toString());
    expect(Object.fromEntries(given.headers)).toMatchObject({
      'content-type': 'application/octet-stream',
      'content-disposition': "attachment; filename*=UTF-8''it%E2%80%99s%20a%20report.xml",
    });
    expect((await download(digestOf('gone'))).status).toBe(404);
  });

  it('tells its log neither keys nor addresses', () => {
    const said = working.gateway.lines.join('');
    expect(said).not.toContain(served.credentials.secretAccessKey);
    expect(said).not.toContain('X-Amz-Signature');
  });
});
