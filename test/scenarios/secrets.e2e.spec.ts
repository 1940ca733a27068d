import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync, zstdDecompressSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { DomainEventOf } from '@delta-ci/contracts';
import { pullRequestDelivery } from '../support/fake-forge/webhook-deliveries.ts';
import { configWith, QUICK, startTestMesh, type TestMesh } from '../support/mesh/index.ts';

const SHOP = 'demo/shop';
const VALUE = 'not-a-secret-of-a-registry';
/** How it looks in base64, wherever it begins. */
const IN_BASE64 = ['', 'a', 'aa'].map((before) =>
  Buffer.from(before + VALUE)
    .toString('base64')
    .slice(4, 28),
);

const JOBS = {
  publish: {
    secrets: ['REGISTRY_TOKEN'],
    id_tokens: { CLOUD_TOKEN: { aud: 'https://cloud.example.org' } },
    steps: [
      'echo "the token is ${REGISTRY_TOKEN:-not here}"',
      'echo "in disguise: $(printf %s "${REGISTRY_TOKEN:-}" | base64)"',
      'echo "the identity is ${CLOUD_TOKEN:-not here}"',
      'mkdir -p out; echo "${REGISTRY_TOKEN:-nothing}" > out/told.txt; echo fine > out/kept.txt',
    ],
    artifacts: [{ type: 'file', path: 'out/*.txt' }],
  },
};

/** A secret from the gateway's provider to the step that prints it, and to nobody else. */
describe('secrets', () => {
  let system: TestMesh;
  let directory: string;

  beforeAll(async () => {
    directory = mkdtempSync(join(tmpdir(), 'delta-secrets-'));
    writeFileSync(join(directory, 'token'), VALUE);
    const settings = {
      providers: { mounted: { kind: 'files', directory: '.' } },
      grants: [{ repositories: [`github/${SHOP}`], provider: 'mounted', secrets: { REGISTRY_TOKEN: 'token' } }],
    };
    writeFileSync(join(directory, 'secrets.json'), JSON.stringify(settings));
    const env = {
      ...QUICK,
      DELTA_SECRETS_FILE: join(directory, 'secrets.json'),
      DELTA_TRACE_EXPORTER: 'console',
      DELTA_ID_TOKEN_ISSUER: 'https://ci.example.org',
    };
    system = await startTestMesh({ repositories: [SHOP], env });
  }, 120_000);

  afterAll(async () => {
    await system.finish();
    rmSync(directory, { recursive: true, force: true });
  }, 120_000);

  const handedOut = async (runId: string) => {
    const rows = await system.ask<{ data: DomainEventOf<'lease.secrets-handed-out'>['data'] }>(
      `SELECT canonical::json -> 'data' AS data FROM event WHERE correlation = $1 AND type = 'lease.secrets-handed-out'`,
      [runId],
    );
    return rows.map(({ data }) => data);
  };

  it('given a trusted change, when its job prints its secret, then the log has a mask, and the audit the name', async () => {
    const { runId } = await system.change(SHOP, 'publish', { 'delta.yaml': configWith(JOBS) });
    const view = await system.settled(runId);
    expect(view.outcome).toBe('succeeded');
    const log = await system.api.log(runId, 'publish');
    expect(log).toContain('the token is ***');
    expect(log).toContain('in disguise: ***');
    expect(log).toContain('the identity is ***');
    expect(log).toContain('artifact out/told.txt was left behind: a secret of the job is in it');
    expect(await handedOut(runId)).toEqual([
      {
        jobKey: 'publish',
        attempt: 1,
        fence: 1,
        runnerId: view.jobs[0]?.attempts[0]?.runnerId,
        secrets: [{ name: 'REGISTRY_TOKEN', provider: 'mounted' }],
        idTokens: [
          {
            name: 'CLOUD_TOKEN',
            audience: ['https://cloud.example.org'],
            tokenId: expect.any(String),
            expiresAtMs: expect.any(Number),
          },
        ],
      },
    ]);
  });

  it('given a change of a fork, when it runs, and when a maintainer runs it again, then it gets nothing', async () => {
    const base = await system.push(SHOP, 'base', { 'base.txt': 'base\n', 'delta.yaml': configWith(JOBS) });
    const head = await system.push(SHOP, 'a gift', { 'gift.txt': 'gift\n' }, 'fork');
    const first = await system.runFor(
      pullRequestDelivery(SHOP, system.forge.cloneUrl(SHOP), {
        number: 9,
        action: 'opened',
        title: 'a gift',
        head: { sha: head.after, ref: 'patch-1', fullName: 'stranger/shop' },
        base: { sha: base.after, ref: 'main' },
        association: 'NONE',
        sender: 'stranger',
      }),
    );
    expect((await system.settled(first)).change.trust).toBe('untrusted');
    const again = await system.api.rerun(first, 'all');
    expect((await system.settled(again)).change.trust).toBe('untrusted');
    for (const runId of [first, again]) {
      expect(await system.api.log(runId, 'publish')).toContain('the token is not here');
      expect(await system.api.log(runId, 'publish')).toContain('the identity is not here');
      expect(await handedOut(runId)).toEqual([]);
    }
  });

  it('given a secret that nobody has, then the job fails before it begins, and says which and what to do', async () => {
    const jobs = { publish: { secrets: ['NOBODYS_TOKEN'], steps: ['echo ran'] } };
    const { runId } = await system.change(SHOP, 'unknown', { 'delta.yaml': configWith(jobs) });
    const view = await system.settled(runId);
    expect(view.outcome).toBe('failed');
    expect(JSON.stringify(view)).toContain('the secret NOBODYS_TOKEN is not granted to github/demo/shop');
    expect(await handedOut(runId)).toEqual([]);
  });

  it('given all that, then no value is in the database, in a log, in an artifact or in a span', async () => {
    const places = [...(await tablesOf(system)), ...filesOf(system.mesh.directory)];
    expect(places.length).toBeGreaterThan(20);
    const told = places.filter(([, text]) => [VALUE, ...IN_BASE64].some((form) => text.includes(form)));
    expect(told.map(([place]) => place)).toEqual([]);
    // The head of a signed token by its first characters, whichever token it is.
    expect(places.filter(([, text]) => text.includes('eyJhbGciOiJSUzI1NiI')).map(([place]) => place)).toEqual([]);
    expect(places.some(([, text]) => text.includes('lease.secrets-handed-out'))).toBe(true);
    expect(places.some(([, text]) => text.includes('the token is ***'))).toBe(true);
  });
});

/** All rows of all tables as text, by the table's name. */
async function tablesOf(system: TestMesh): Promise<[string, string][]> {
  const tables = await system.ask<{ name: string }>(
    `SELECT quote_ident(schemaname) || '.' || quote_ident(tablename) AS name FROM pg_tables
     WHERE schemaname NOT IN ('pg_catalog', 'information_schema')`,
  );
  return Promise.all(
    tables.map(async ({ name }): Promise<[string, string]> => {
      const rows = await system.ask<{ row: string }>(`SELECT t::text AS row FROM ${name} AS t`);
      return [name, rows.map(({ row }) => row).join('\n')];
    }),
  );
}

/** All files below a directory, unpacked, by their paths. */
function filesOf(directory: string): [string, string][] {
  return readdirSync(directory, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry): [string, string] => {
      const path = join(entry.parentPath, entry.name);
      return [path, unpacked(readFileSync(path)).toString('latin1')];
    });
}

/** What is in a file that is compressed: archives of folders by gzip, logs of attempts that are over by zstd. */
function unpacked(bytes: Buffer): Buffer {
  const magic = bytes.toString('hex', 0, 4);
  if (magic === '28b52ffd') return zstdDecompressSync(bytes);
  return magic.startsWith('1f8b') ? gunzipSync(bytes) : bytes;
}
