import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { ENDPOINTS, type Endpoint } from '@delta-ci/contracts';
import { RequestRoom } from './request-room.ts';

const LIMITS = { atOnce: 1, waitingMax: 2, patienceMs: 5_000 };

describe('room for requests', () => {
  beforeEach(() => {
    jest.useFakeTimers();
  });
  afterEach(() => {
    jest.useRealTimers();
  });

  const setUp = () => {
    const room = new RequestRoom(LIMITS);
    const decided: string[] = [];
    const enter = (name: string, endpoint: Endpoint = ENDPOINTS.deliverGitHub) =>
      room.enter(endpoint, (admitted) => decided.push(`${name} ${admitted ? 'in' : 'away'}`));
    return { decided, enter };
  };

  it('given more than are worked on at once, then they wait and go in, in the order in which they came', () => {
    const { decided, enter } = setUp();
    const leave = ['a', 'b', 'c'].map((name) => enter(name));
    expect(decided).toEqual(['a in']);
    leave[0]?.();
    leave[1]?.();
    expect(decided).toEqual(['a in', 'b in', 'c in']);
  });

  it('given more than may wait, then the next is sent away at once, and its leaving makes no room', () => {
    const { decided, enter } = setUp();
    const leave = ['a', 'b', 'c', 'd'].map((name) => enter(name));
    leave[3]?.();
    expect(decided).toEqual(['a in', 'd away']);
  });

  it('given that one gives up waiting, then its place is free and it is never let in', () => {
    const { decided, enter } = setUp();
    const [leaveA, leaveB] = ['a', 'b'].map((name) => enter(name));
    leaveB?.();
    leaveA?.();
    enter('c');
    expect(decided).toEqual(['a in', 'c in']);
  });

  it('given that one has waited long enough, then it is sent away, once', () => {
    const { decided, enter } = setUp();
    const leave = enter('a');
    enter('b');
    jest.advanceTimersByTime(LIMITS.patienceMs);
    leave();
    expect(decided).toEqual(['a in', 'b away']);
  });

  it('given that a request ends twice, then one other goes in', () => {
    const { decided, enter } = setUp();
    const leave = enter('a');
    enter('b');
    enter('c');
    leave();
    leave();
    expect(decided).toEqual(['a in', 'b in']);
  });

  it('given a flood of deliveries, then people have a door of their own, and runners and streams need none', () => {
    const { decided, enter } = setUp();
    enter('forge');
    enter('forge waits');
    enter('person', ENDPOINTS.listRuns);
    enter('person waits', ENDPOINTS.createRun);
    enter('runner', ENDPOINTS.heartbeat);
    enter('another', ENDPOINTS.completeAttempt);
    enter('stream', ENDPOINTS.followEvents);
    expect(decided).toEqual(['forge in', 'person in', 'runner in', 'another in', 'stream in']);
  });
});
