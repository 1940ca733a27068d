import { readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import type { SandboxExecutor } from '@delta-ci/sandbox';
import { eventually } from '../../../test/support/infra/index.ts';
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

/** Tells when nothing of the job is alive, and when what it left is about to be removed. */
function telling(told: { ended?: () => void; removing?: () => void }): SandboxExecutor {
  const inner = stage.asMyself();
  return {
    tier: 'process',
    probe: async () => inner.probe(),
    open: async (spec) => {
      const opened = await inner.open(spec);
      if (!opened.ok) return opened;
      const { sandbox } = opened;
      const [end, close] = [sandbox.end.bind(sandbox), sandbox.close.bind(sandbox)];
      sandbox.end = async () => end().finally(told.ended);
      sandbox.close = async () => {
        told.removing?.();
        return close();
      };
      return opened;
    },
  };
}

describe('how an attempt ends', () => {
  it('given what a job left, then it is reported when nothing of it is alive, and removed after that', async () => {
    const seen: string[][] = [];
    const note = (what: string) => () => void seen.push([what, ...stage.gateway.words]);
    const executor = telling({ ended: note('ended'), removing: note('removing') });
    await stage.carryOut(stage.offer('cat widget.txt > kept'), executor);
    expect([seen[0], ...seen.filter(([what]) => what === 'removing')]).toEqual([
      ['ended', 'ack'],
      ['removing', 'ack', 'complete'],
    ]);
    expect((await readdir(stage.workDir)).filter((name) => name !== 'sandboxes')).toEqual([]);
  });

  it('given a job that would not die, then nothing is deleted below it, and the report is sent all the same', async () => {
    const undying: SandboxExecutor = {
      tier: 'process',
      probe: async () => stage.asMyself().probe(),
      open: async (spec) => {
        const opened = await stage.asMyself().open(spec);
        if (!opened.ok) return opened;
        const { sandbox } = opened;
        const alive = { leftovers: ['process 4711'] };
        sandbox.end = async () => Promise.resolve(alive);
        sandbox.close = async () => Promise.resolve(alive);
        return opened;
      },
    };
    await stage.carryOut(stage.offer('cat widget.txt > kept'), undying);
    expect(stage.gateway.words).toEqual(['ack', 'complete']);
    const [job = ''] = (await readdir(stage.workDir)).filter((name) => name.startsWith('job-'));
    expect(await readdir(join(stage.workDir, job, 'workspace'))).toContain('kept');
  });

  it('given a lease that is taken away, then the job is stopped and nothing more is said', async () => {
    const done = stage.carryOut(stage.offer(`echo started; ${stage.untilTold}`));
    await eventually('the job runs', () => stage.gateway.log.includes('started'));
    stage.gateway.stale = true;
    await done;
    expect(stage.gateway.words).toEqual(['ack']);
  });

  it('given a lease that turns out stale with the last report, then the runner ends without complaint', async () => {
    const done = stage.carryOut(stage.offer(`echo started; ${stage.untilTold}`, { heartbeatMs: 50_000 }));
    await eventually('the job runs', () => stage.gateway.log.includes('started'));
    stage.gateway.stale = true;
    await writeFile(stage.goFile, '');
    await done;
    expect(stage.gateway.words.filter((what) => what === 'complete').length).toBeLessThanOrEqual(1);
  });

  it('given a cancel request, then the job is stopped and the cancel acknowledged', async () => {
    const done = stage.carryOut(stage.offer(`echo started; ${stage.untilTold}`));
    await eventually('the job runs', () => stage.gateway.log.includes('started'));
    stage.gateway.cancelRequested = true;
    await done;
    expect(stage.gateway.words).toEqual(['ack', 'cancel-ack']);
    expect(stage.gateway.reported('cancel-ack')).toMatchObject({ outcome: 'canceled' });
    expect(stage.gateway.log).toContain('the job was canceled');
  });

  it('given a gateway that is away for a while, then the job goes on and everything arrives', async () => {
    const { promise: over, resolve: ended } = Promise.withResolvers<void>();
    const done = stage.carryOut(stage.offer(`echo one; ${stage.untilTold}; echo two`), telling({ ended }));
    await eventually('the job runs', () => stage.gateway.log.includes('one'));
    stage.gateway.away = true;
    await writeFile(stage.goFile, '');
    const before = stage.gateway.heard.length;
    await over;
    expect(stage.gateway.heard.length).toBe(before);
    stage.gateway.away = false;
    await done;
    expect(stage.gateway.log).toMatch(/one\n[\s\S]*two\n/);
    expect(stage.gateway.reported('complete')).toMatchObject({ outcome: 'succeeded' });
  });

  it('given a gateway that stays away, then the job is stopped when the lease is over, and the runner gives up', async () => {
    const done = stage.carryOut(stage.offer(`echo started; ${stage.untilTold}`));
    await eventually('the job runs', () => stage.gateway.log.includes('started'));
    stage.gateway.lastTtlMs = 300;
    await done;
    expect(stage.gateway.words).toEqual(['ack']);
  });

  it('given a runner that has to end, then the job is handed back as the runner’s fault', async () => {
    const done = stage.carryOut(stage.offer(`echo started; ${stage.untilTold}`));
    await eventually('the job runs', () => stage.gateway.log.includes('started'));
    stage.stopping.abort();
    await done;
    expect(stage.gateway.reported('complete')).toMatchObject({
      outcome: 'failed',
      infrastructureError: { code: 'runner_shutdown' },
    });
    expect(stage.gateway.log).toContain('stopped: the runner has to end, and hands the job back');
    expect(stage.gateway.log).not.toContain('canceled');
  });
});
