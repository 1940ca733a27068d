import { describe, expect, it } from '@jest/globals';
import { refuse, type Refusal } from '@delta-ci/contracts';
import { aGrantedLease } from '../../../../test/support/made-up/granted-lease.ts';
import { aPlan } from '../../../../test/support/made-up/plan.ts';
import { aPlannedJob } from '../../../../test/support/made-up/planned-job.ts';
import { handOutSecrets, type HandedOut } from './hand-out-secrets.ts';
import { SecretStore } from './secret-store.ts';

const NAMES = ['A_KEY', 'B_KEY', 'C_KEY'];
const HOLDER = { leaseHash: '1'.repeat(64), runnerId: `rnr_${'1'.repeat(32)}` };
const ENVELOPE = { id: 'hand-out-1', actor: { kind: 'runner' as const, name: HOLDER.runnerId }, traceparent: null };

/** Three secrets of one value, with a log that answers as it is told. */
async function handedOut(value: string, refusals: Refusal[]): Promise<{ result: HandedOut; ids: string[] }> {
  const provider = {
    find: async () => Promise.resolve({ ok: true as const, value }),
    whyNoPlace: () => null,
  };
  const secrets = Object.fromEntries(NAMES.map((name) => [name, name]));
  const grants = [{ repositories: ['*'], provider: 'made-up', secrets }];
  const ids: string[] = [];
  const send = async (_name: string, _data: object, { id }: { id: string }) => {
    ids.push(id);
    const refusal = refusals.shift();
    return Promise.resolve(refusal === undefined ? { ok: true, result: {}, position: 1 } : { ok: false, refusal });
  };
  const store = new SecretStore(new Map([['made-up', provider]]), grants, []);
  const parts = { commands: { send } as never, secrets: store, idTokens: null };
  const leased = { lease: aGrantedLease('unit'), plan: aPlan(), job: aPlannedJob('unit', { secrets: NAMES }) };
  return { result: await handOutSecrets(parts, leased, HOLDER, ENVELOPE), ids };
}

describe('handing out secrets', () => {
  it('given an answer of the log that was lost, then the same is asked again, under the same id', async () => {
    const { result, ids } = await handedOut('not-a-secret', [refuse('timed_out', 'no answer in time')]);
    expect(result).toEqual({
      ok: true,
      values: { A_KEY: 'not-a-secret', B_KEY: 'not-a-secret', C_KEY: 'not-a-secret' },
    });
    expect(ids).toEqual(['hand-out-1', 'hand-out-1']);
  });

  it('given a log that stays silent, then no value leaves', async () => {
    const silent = [refuse('timed_out', 'no answer in time'), refuse('timed_out', 'no answer in time')];
    expect((await handedOut('not-a-secret', silent)).result).toEqual({ ok: false, error: null });
  });

  it('given a log that is away, then that is not held against the job; what the log forbids is', async () => {
    const answered = async (refusal: Refusal) => (await handedOut('not-a-secret', [refusal])).result;
    expect(await answered(refuse('unavailable', 'nobody takes commands'))).toEqual({ ok: false, error: null });
    expect(await answered(refuse('forbidden', 'not trusted'))).toEqual({
      ok: false,
      error: { code: 'not_offered', message: 'not trusted' },
    });
  });

  it('given secrets that are too much together, then none is handed out, and none noted', async () => {
    const { result, ids } = await handedOut('x'.repeat(30_000), []);
    const message = 'the secrets of the job have more than 32768 bytes together';
    expect(result).toEqual({ ok: false, error: { code: 'not_offered', message } });
    expect(ids).toEqual([]);
  });
});
