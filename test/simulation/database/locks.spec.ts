import { describe, expect, it } from '@jest/globals';
import { Locks } from './locks.ts';

describe('row locks', () => {
  const ada = { name: 'ada' };
  const ben = { name: 'ben' };
  const cleo = { name: 'cleo' };

  it('given a lock that is taken, when another wants it, then it waits until the holder lets go', () => {
    const locks = new Locks();
    expect(locks.take(ada, 'row')).toBe('taken');
    expect(locks.take(ada, 'row')).toBe('taken');
    expect(locks.take(ben, 'row')).toBe('wait');
    expect(locks.release(ada)).toEqual([ben]);
    expect(locks.take(ben, 'row')).toBe('taken');
  });

  it('given three who wait for each other, when the circle would close, then the last one is told', () => {
    const locks = new Locks();
    for (const [owner, key] of [
      [ada, 'a'],
      [ben, 'b'],
      [cleo, 'c'],
    ] as const)
      locks.take(owner, key);
    expect(locks.take(ada, 'b')).toBe('wait');
    expect(locks.take(ben, 'c')).toBe('wait');
    expect(locks.take(cleo, 'a')).toBe('deadlock');
  });

  it('given one who waits for somebody without a circle, then it is no deadlock', () => {
    const locks = new Locks();
    locks.take(ada, 'a');
    locks.take(ben, 'b');
    expect(locks.take(cleo, 'b')).toBe('wait');
    expect(locks.take(ben, 'a')).toBe('wait');
    expect(locks.release(ada)).toEqual([ben]);
  });
});
