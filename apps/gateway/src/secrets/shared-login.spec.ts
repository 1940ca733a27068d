import { beforeEach, describe, expect, it } from '@jest/globals';
import { SharedLogin, type Login } from './shared-login.ts';

describe('a login that is shared', () => {
  let logins: PromiseWithResolvers<Login>[];
  let nowMs: number;
  let shared: SharedLogin;
  const patient = (): AbortSignal => new AbortController().signal;
  const settle = async (): Promise<void> => new Promise((resolve) => void setImmediate(resolve));

  beforeEach(() => {
    logins = [];
    nowMs = 0;
    const logIn = async (): Promise<Login> => {
      const one = Promise.withResolvers<Login>();
      logins.push(one);
      return one.promise;
    };
    shared = new SharedLogin(logIn, () => nowMs);
  });

  it('given many who need it at once, then there is one, and it serves for most of its time', async () => {
    const asked = [shared.token(patient()), shared.token(patient()), shared.token(patient())];
    await settle();
    logins[0]?.resolve({ token: 'first', holdsMs: 1_000 });
    expect(await Promise.all(asked)).toEqual(['first', 'first', 'first']);
    nowMs = 799;
    expect(await shared.token(patient())).toBe('first');
    nowMs = 800;
    const next = shared.token(patient());
    logins[1]?.resolve({ token: 'second', holdsMs: Infinity });
    expect(await next).toBe('second');
    nowMs = Number.MAX_SAFE_INTEGER;
    expect([await shared.token(patient()), logins.length]).toEqual(['second', 2]);
  });

  it('given one that is refused, then the first who says so has it replaced, and the others use what replaced it', async () => {
    const first = shared.token(patient());
    logins[0]?.resolve({ token: 'first', holdsMs: 1_000 });
    await first;
    shared.drop('first');
    const second = shared.token(patient());
    logins[1]?.resolve({ token: 'second', holdsMs: 1_000 });
    await second;
    shared.drop('first');
    expect([await shared.token(patient()), logins.length]).toEqual(['second', 2]);
  });

  it('given one that is refused while the next is under way, then that one is waited for by whoever says so', async () => {
    const first = shared.token(patient());
    logins[0]?.resolve({ token: 'first', holdsMs: 1_000 });
    await first;
    shared.drop('first');
    const second = shared.token(patient());
    shared.drop('first');
    const third = shared.token(patient());
    logins[1]?.resolve({ token: 'second', holdsMs: 1_000 });
    expect([await second, await third, logins.length]).toEqual(['second', 'second', 2]);
  });

  it('given one who comes when his time is over, then none is begun for him', async () => {
    await expect(shared.token(AbortSignal.abort(new Error('too late')))).rejects.toThrow('too late');
    expect(logins).toEqual([]);
  });

  it('given one that fails, then those who wait are told, and whoever comes next tries anew', async () => {
    const failing = shared.token(patient());
    logins[0]?.reject(new Error('the store is away'));
    await expect(failing).rejects.toThrow('the store is away');
    const next = shared.token(patient());
    logins[1]?.resolve({ token: 'second', holdsMs: 1_000 });
    expect(await next).toBe('second');
  });

  it('given one whose time is over, then he waits no longer, and the others still do', async () => {
    const over = new AbortController();
    const impatient = shared.token(over.signal);
    const other = shared.token(patient());
    over.abort(new Error('too late'));
    await expect(impatient).rejects.toThrow('too late');
    logins[0]?.resolve({ token: 'first', holdsMs: 1_000 });
    expect([await other, logins.length]).toEqual(['first', 1]);
  });
});
