import { runInNewContext } from 'node:vm';
import { describe, expect, it } from '@jest/globals';
import { BrokenInvariant } from '@delta-ci/domain';
import pg from 'pg';
import { BatchConflict, LogBroken, failureOf } from './batch-failure.ts';

function refusedByServer(code: string): pg.DatabaseError {
  return Object.assign(new pg.DatabaseError('the server says no', 0, 'error'), { code });
}

describe('what a failed batch says about itself', () => {
  it.each([
    ['a broken connection', new Error('Connection terminated unexpectedly')],
    ['a socket that is gone, told by the runtime itself', runInNewContext('new Error("write EPIPE")')],
    ['somebody who was quicker', new BatchConflict('run_1 was created by somebody else meanwhile')],
    ['a session ended by an administrator', refusedByServer('57P01')],
    ['a deadlock', refusedByServer('40P01')],
    ['a full disk', refusedByServer('53100')],
  ])('given %s, then it is worth trying again', (_what, error) => {
    expect(failureOf(error)).toBe('passing');
  });

  it('given a row that somebody else has put, then it is a clash', () => {
    expect(failureOf(refusedByServer('23505'))).toBe('clash');
  });

  it.each([
    ['a violated check', refusedByServer('23514')],
    ['a log that cannot be', new LogBroken('the log has no head')],
    ['a broken invariant', new BrokenInvariant('a run that ends twice')],
    ['a mistake of our own code', new TypeError('undefined is not a function')],
    ['something that is no error', 'a text'],
  ])('given %s, then trying again would find the same', (_what, error) => {
    expect(failureOf(error)).toBe('content');
  });
});
