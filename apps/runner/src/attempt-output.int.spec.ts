import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { AttemptStage, WidgetSource } from './attempt-stage.fixture.ts';

let source: WidgetSource;
let stage: AttemptStage;
beforeAll(async () => {
  source = await WidgetSource.make();
});
afterAll(() => source.remove());
beforeEach(async () => {
  stage = await AttemptStage.open(source);
});
afterEach(() => stage.close());

describe('what leaves an attempt', () => {
  it('given the token of the source in what a job prints, then the log and the report have it masked', async () => {
    const token = 'fake-source-token-0123';
    await stage.carryOut(stage.offer(`echo ${token}; exit 1`, { source: { ...source.access, token } }));
    expect(stage.gateway.log).toContain('***');
    expect(stage.gateway.log).not.toContain(token);
    expect(JSON.stringify(stage.gateway.reported('complete'))).not.toContain(token);
  });

  it('given a folder that is asked for, then all of it is one artifact', async () => {
    const artifacts = [{ type: 'folder' as const, path: 'out', retentionDays: 1 }];
    await stage.carryOut(stage.offer('mkdir -p out/deep; echo a > out/a; echo b > out/deep/b', {}, { artifacts }));
    expect(stage.gateway.reported('complete')).toMatchObject({ artifacts: [{ name: 'out.tar', type: 'file' }] });
  });

  it('given an artifact that is refused, then it is left behind, the others are kept, and the job has its verdict', async () => {
    stage.gateway.refusedArtifact = 'out/huge.txt';
    const artifacts = [{ type: 'file' as const, path: 'out/*.txt', retentionDays: 1 }];
    await stage.carryOut(stage.offer('mkdir out; echo small > out/a.txt; echo big > out/huge.txt', {}, { artifacts }));
    expect(stage.gateway.reported('complete')).toMatchObject({
      outcome: 'succeeded',
      artifacts: [{ name: 'out/a.txt' }],
    });
    expect(stage.gateway.log).toContain('artifact out/huge.txt was left behind');
  });

  const FAKE_SECRET = 'not-a-secret-of-anybody';

  it('given a step that shows its secrets in pieces and in disguise, then nothing that is said has them', async () => {
    const show = [
      'test "${#FAKE_SECRET}" -eq 23',
      'echo "as it is: $FAKE_SECRET"',
      'echo "in base64: $(printf "user:%s" "$FAKE_SECRET" | base64)"',
      'printf "cut: not-a-sec"; sleep 0.2; printf "ret-of-any\\033[1mbody\\n"',
      'echo "of no lasting harm: not-a-secret"',
    ].join('; ');
    await stage.carryOut(stage.offer(show, { secrets: { FAKE_SECRET } }));
    expect(stage.gateway.reported('complete')).toMatchObject({
      outcome: 'succeeded',
      logBytes: stage.gateway.log.length,
    });
    const said = stage.gateway.heard.map(({ body }) => body.toString()).join('\n');
    expect(said).not.toContain(FAKE_SECRET);
    expect(said).not.toContain('bm90LWEtc2VjcmV0');
    expect(stage.gateway.log).toContain('as it is: ***\n');
    expect(stage.gateway.log).toMatch(/in base64: dXNlcjpu?\*\*\*\n/);
    expect(stage.gateway.log).toContain('cut: ***\n');
    expect(stage.gateway.log).toContain('of no lasting harm: not-a-secret\n');
  });

  it('given a secret in the name or the content of an artifact, then it is left behind', async () => {
    const artifacts = [{ type: 'file' as const, path: 'out/*', retentionDays: 1 }];
    const script = 'mkdir out; echo "$FAKE_SECRET" > out/told; echo a > "out/$FAKE_SECRET"; echo a > out/kept';
    await stage.carryOut(stage.offer(script, { secrets: { FAKE_SECRET } }, { artifacts }));
    expect(stage.gateway.reported('complete')).toMatchObject({
      outcome: 'succeeded',
      artifacts: [{ name: 'out/kept' }],
    });
    expect(stage.gateway.log).toContain('artifact out/told was left behind: a secret of the job is in it');
    expect(stage.gateway.log).toContain('artifact out/*** was left behind: a secret of the job is in its name');
  });

  it.each([
    ['are too short to be', { FAKE_SECRET: 'xyz' }, 'FAKE_SECRET'],
    [
      'are too much together to be',
      Object.fromEntries(['A', 'B', 'C'].map((name) => [name, name.repeat(30_000)])),
      '32768',
    ],
  ])(
    'given secrets that %s kept out of the log, then the job is refused, and no value is told',
    async (_, secrets, why) => {
      await stage.carryOut(stage.offer('echo ran', { secrets }));
      expect(stage.gateway.reported('complete')).toMatchObject({
        outcome: 'failed',
        infrastructureError: { code: 'secret_unavailable', message: expect.stringContaining(why) },
      });
      expect(stage.gateway.log).not.toContain('ran');
      const said = stage.gateway.heard.map(({ body }) => body.toString()).join('\n');
      for (const value of Object.values(secrets)) expect(said).not.toContain(value);
    },
  );
});
