import { describe, expect, it } from '@jest/globals';
import { CommandRoom } from './command-room.ts';

const LIMITS = { 'new-work': 2, 'work-under-way': 1, 'waiting-runner': 1 };

describe('room for commands', () => {
  it('given as many of a kind as there is room for, then the next is refused until one leaves', () => {
    const room = new CommandRoom(LIMITS);
    const leave = room.enter('request-run');
    expect(room.enter('accept-delivery')).not.toBeNull();
    expect(room.enter('rerun')).toBeNull();
    leave?.();
    expect(room.enter('rerun')).not.toBeNull();
  });

  it('given that new work and waiting runners take all of theirs, then running work is still heard of', () => {
    const room = new CommandRoom(LIMITS);
    room.enter('request-run');
    room.enter('request-run');
    room.enter('grant-lease');
    expect([room.enter('request-run'), room.enter('grant-lease')]).toEqual([null, null]);
    expect(room.enter('heartbeat')).not.toBeNull();
    expect(room.enter('complete-attempt')).toBeNull();
  });
});
