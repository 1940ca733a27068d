import { execFile, spawn } from 'node:child_process';
import { promisify } from 'node:util';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { createHash } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { pullRequestDelivery } from '../support/fake-forge/webhook-deliveries.ts';
import { eventually } from '../support/infra/index.ts';
import { QUICK, configWith, startTestMesh, type TestMesh } from '../support/mesh/index.ts';

const SHOP = 'demo/debug';
const DELTA = join(dirname(dirname(import.meta.dirname)), 'apps', 'cli', 'bin', 'delta.mjs');
const LIMIT_MS = 180_000;
/** A run, a lease and a sandbox lie between a command and its shell, with all cores busy. */
const SHOWN = { deadline_ms: 60_000 };
const VALUE = 'not-a-secret-of-a-registry';
const [OLGA, OTTO, VERA] = ['not-a-secret-olga', 'not-a-secret-otto', 'not-a-secret-vera'];

const JOBS = {
  broken: {
    secrets: ['REGISTRY_TOKEN'],
    steps: ['echo "the token is <${REGISTRY_TOKEN:-not here}>"; echo kept > left.txt', 'exit 3'],
    artifacts: [{ type: 'file', path: 'left.txt' }],
  },
  sound: {
    steps: ['mkdir -p reports; echo fine > reports/told.txt'],
    artifacts: [{ type: 'file', path: 'reports/*.txt' }],
  },
};

const handOutOf = (run: string): string[] => [run, 'lease.secrets-handed-out'];

/** An operator looks into a job of a real mesh, at a real terminal. */
describe('debugging a job of a mesh', () => {
  let system: TestMesh;
  let directory: string;
  let runId: string;

  beforeAll(async () => {
    directory = mkdtempSync(join(tmpdir(), 'delta-debug-'));
    writeFileSync(join(directory, 'token'), VALUE);
    const secrets = {
      providers: { mounted: { kind: 'files', directory: '.' } },
      grants: [{ repositories: [`github/${SHOP}`], provider: 'mounted', secrets: { REGISTRY_TOKEN: 'token' } }],
    };
    writeFileSync(join(directory, 'secrets.json'), JSON.stringify(secrets));
    const person = (name: string, role: string, token: string) => ({
      name,
      role,
      sha256: createHash('sha256').update(token).digest('hex'),
    });
    const tokens = [person('olga', 'operator', OLGA), person('otto', 'operator', OTTO), person('vera', 'viewer', VERA)];
    writeFileSync(join(directory, 'tokens.json'), JSON.stringify({ tokens }));
    const env = {
      ...QUICK,
      // Neither who types on a busy machine nor a shell that takes its time to end loses the lease over it.
      DELTA_LEASE_TTL_MS: '60000',
      DELTA_LEASE_ACCEPTANCE_MS: '60000',
      DELTA_CANCEL_DEADLINE_MS: '60000',
      DELTA_DISPATCH_VISIBILITY_MS: '61000',
      DELTA_SECRETS_FILE: join(directory, 'secrets.json'),
      DELTA_TOKENS_FILE: join(directory, 'tokens.json'),
    };
    system = await startTestMesh({ repositories: [SHOP], env });
    ({ runId } = await system.change(SHOP, 'two jobs', {
      'delta.yaml': configWith(JOBS, { runs: { fail_fast: false } }),
    }));
    await system.settled(runId);
  }, LIMIT_MS);
  afterAll(async () => {
    await system.finish();
    rmSync(directory, { recursive: true, force: true });
  }, LIMIT_MS);

  const post = async (path: string, token: string, body: object): Promise<number> => {
    const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' };
    const url = `${system.mesh.gatewayUrl}/api/v1/runs/${path}`;
    return (await fetch(url, { method: 'POST', headers, body: JSON.stringify(body) })).status;
  };

  /** `delta debug` at a terminal that `script` makes. */
  function atTerminal(...words: readonly string[]) {
    const env = { ...process.env, DELTA_GATEWAY_URL: system.mesh.gatewayUrl, DELTA_TOKEN: OLGA, TERM: 'xterm' };
    const command = `stty rows 33 columns 111; ${[process.execPath, DELTA, 'debug', ...words].join(' ')}`;
    const child = spawn('script', ['--quiet', '--flush', '--return', '--command', command, '/dev/null'], { env });
    let screen = '';
    child.stdout.on('data', (chunk: Buffer) => void (screen += chunk.toString('utf8')));
    const newRun = async (): Promise<string> => {
      await eventually('the run is named', () => /run_[0-9a-f]{32}: /u.test(screen), SHOWN);
      return /(run_[0-9a-f]{32}): /u.exec(screen)?.[1] ?? '';
    };
    return {
      newRun,
      screen: () => screen,
      type: (keys: string) => void child.stdin.write(keys),
      sees: async (wanted: string) =>
        eventually(`${wanted} is shown, not only:\n${screen}`, () => screen.includes(wanted), SHOWN),
      code: new Promise<number | null>((resolve) => void child.once('close', resolve)),
    };
  }

  const recorded = async (type: string): Promise<{ actor: { name: string }; data: Record<string, unknown> }[]> =>
    system.ask(
      `SELECT canonical::json -> 'actor' AS actor, canonical::json -> 'data' AS data FROM event WHERE type = $1 ORDER BY position`,
      [type],
    );

  it(
    'given a job that failed, then its operator has a shell where it fails again; all of it is on record, and nothing of it counts',
    async () => {
      const commit = (await system.api.run(runId)).change.head;
      const shown = () => system.checks(SHOP, commit).map(({ id, name, conclusion }) => ({ id, name, conclusion }));
      const checks = shown();
      const { newRun, type, sees, code } = atTerminal(`${runId}/broken`, '--reason', "'it fails at night'");
      const looked = await newRun();
      await sees('(broken) ');
      type('echo "$(cat left.txt), <$REGISTRY_TOKEN>, $(stty size)"\n');
      await sees('kept, <>, 33 111');
      expect(await post(`${looked}/debug/input`, OTTO, { sequence: 99, input: { kind: 'keys', bytes: 'eA==' } })).toBe(
        403,
      );
      type(`sh -c 'echo sle""eps; exec sleep 1000'\n`);
      await sees('sleeps');
      type('\u0003');
      await sees('^C');
      type('exit\n');
      expect(await code).toBe(0);

      const view = await system.runWhen('it is over', looked, ({ state }) => state === 'finished');
      expect(view).toMatchObject({ outcome: 'failed', reported: false, rerun: { of: runId, debug: { by: 'olga' } } });
      const attempt = view.jobs.flatMap(({ attempts }) => attempts);
      expect(attempt).toMatchObject([{ outcome: 'failed', artifacts: [], report: { debug: { how: 'left' } } }]);
      expect(attempt[0]?.report?.debug?.typedBytes).toBeGreaterThan(20);
      const log = await system.api.log(looked, 'broken');
      expect(log).toContain('the token is <not here>');
      expect(log).toContain('not here: REGISTRY_TOKEN');
      expect(log).toContain('kept, <>, 33 111');
      expect(log).not.toContain(VALUE);
      expect(await recorded('operator.acted')).toMatchObject([
        {
          actor: { name: 'olga' },
          data: { action: 'debug', subject: `${runId}/broken/1`, detail: 'it fails at night' },
        },
      ]);
      expect(await recorded('debug.opened')).toMatchObject([{ data: { jobKey: 'broken', attempt: 1, by: 'olga' } }]);
      expect(shown()).toEqual(checks);
    },
    LIMIT_MS,
  );

  it(
    'given an operator who leaves a shell that hangs, then it ends and so does its sandbox',
    async () => {
      const { newRun, type, sees, code } = atTerminal(`${runId}/broken/1`, '--reason', 'again');
      const looked = await newRun();
      await sees('(broken) ');
      type('trap \'\' HUP TERM INT; sh -c \'trap "" HUP TERM INT; echo dea""f; sleep 1000\'\n');
      await sees('deaf');
      type('\u001d\u001d\u001d');
      expect(await code).toBe(0);
      const { outcome, jobs } = await system.runWhen('it is over', looked, ({ state }) => state === 'finished');
      expect([outcome, jobs[0]?.attempts[0]?.report?.debug?.how]).toEqual(['canceled', 'canceled']);
    },
    LIMIT_MS,
  );

  it(
    'given a gateway that dies while a shell stands, then the shell goes on by the next, with what was typed meanwhile',
    async () => {
      const { newRun, type, sees, code } = atTerminal(`${runId}/broken`, '--reason', 'third');
      const looked = await newRun();
      await sees('(broken) ');
      type('before=kept; echo is""up\n');
      await sees('isup');
      const gateway = system.mesh.service('gateway');
      await gateway.crash('SIGKILL');
      type('echo "$before, $(cat left.txt)"\n');
      await eventually('the gateway is back', () => gateway.crashes > 0 && gateway.state === 'ready');
      await sees('kept, kept');
      type('exit\n');
      expect(await code).toBe(0);
      const { jobs } = await system.runWhen('it is over', looked, ({ state }) => state === 'finished');
      expect(jobs.flatMap(({ attempts }) => attempts)).toMatchObject([{ report: { debug: { how: 'left' } } }]);
    },
    LIMIT_MS,
  );

  it(
    "given a stranger's change, then it may be looked into, in a stranger's sandbox and without a secret",
    async () => {
      const base = (await system.api.run(runId)).change.head;
      const gift = await system.push(SHOP, 'a gift', { 'gift.txt': 'for you\n' }, 'patch-1');
      const strangers = await system.runFor(
        pullRequestDelivery(SHOP, system.forge.cloneUrl(SHOP), {
          number: 9,
          action: 'opened',
          title: 'a gift',
          head: { sha: gift.after, ref: 'patch-1', fullName: 'stranger/debug' },
          base: { sha: base, ref: 'main' },
          association: 'NONE',
          sender: 'stranger',
        }),
      );
      await system.settled(strangers);
      const { newRun, type, sees, code } = atTerminal(`${strangers}/broken`, '--reason', 'gift');
      const looked = await newRun();
      await sees('(broken) ');
      type('echo "<$REGISTRY_TOKEN>" $(cat gift.txt)\nexit\n');
      await sees('<> for you');
      expect(await code).toBe(0);
      const view = await system.runWhen('it is over', looked, ({ state }) => state === 'finished');
      expect([view.change.trust, view.rerun?.of]).toEqual(['untrusted', strangers]);
      expect(
        await system.ask('SELECT 1 AS found FROM event WHERE correlation = $1 AND type = $2', handOutOf(looked)),
      ).toEqual([]);
    },
    LIMIT_MS,
  );

  it(
    'given what a job left, then it is listed and saved as it was recorded, and what is there is not replaced',
    async () => {
      const delta = async (...words: readonly string[]): Promise<{ code: number; said: string }> => {
        const env = { ...process.env, DELTA_GATEWAY_URL: system.mesh.gatewayUrl, DELTA_TOKEN: VERA };
        return promisify(execFile)(process.execPath, [DELTA, 'artifacts', ...words], { env, cwd: directory }).then(
          ({ stdout }) => ({ code: 0, said: stdout }),
          ({ code, stderr }: { code: number; stderr: string }) => ({ code, said: stderr }),
        );
      };
      expect((await delta('list', runId)).said).toMatch(/sound\/1 +reports\/told\.txt +file +5 B/u);
      const get = ['get', `${runId}/sound`, '--output', join(directory, 'got')];
      expect((await delta(...get)).said).toContain('told.txt  5 B');
      expect(readFileSync(join(directory, 'got', 'reports', 'told.txt'), 'utf8')).toBe('fine\n');
      const again = await delta(...get);
      expect([again.code, again.said]).toEqual([2, expect.stringContaining('it exists already')]);
      expect((await delta(...get, 'reports/told.txt', '--force')).code).toBe(0);
      await delta('get', `${runId}/sound`);
      const ownPlace = join(directory, `artifacts-${runId}-sound-1`, 'reports', 'told.txt');
      expect(readFileSync(ownPlace, 'utf8')).toBe('fine\n');
    },
    LIMIT_MS,
  );

  it('given a job that did not fail, then it is refused, which is on record; those who only look may not ask', async () => {
    const wish = { reason: 'curious' };
    expect(await post(`${runId}/jobs/sound/debug`, OTTO, wish)).toBe(409);
    expect(await post(`${runId}/jobs/broken/debug`, OTTO, { reason: ' ' })).toBe(400);
    expect(await post(`${runId}/jobs/broken/debug`, VERA, wish)).toBe(403);
    expect((await recorded('operator.acted')).at(-1)).toMatchObject({
      actor: { name: 'otto' },
      data: { action: 'debug-refused', subject: `${runId}/sound/latest`, detail: expect.stringContaining('curious') },
    });
  });
});
