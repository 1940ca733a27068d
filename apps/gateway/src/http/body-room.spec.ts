import { describe, expect, it } from '@jest/globals';
import { BodyRoom } from './body-room.ts';

describe('room for bodies of strangers', () => {
  const room = (): BodyRoom => new BodyRoom({ bytesMax: 100, bytesPerSourceMax: 60 });

  it('given a source that has its part, then others still get theirs', () => {
    const given = room();
    expect(given.take('a', 60)).not.toBeNull();
    expect(given.take('a', 1)).toBeNull();
    expect(given.take('b', 40)).not.toBeNull();
    expect(given.take('c', 1)).toBeNull();
  });

  it('given room that was given back, then it can be taken again', () => {
    const given = room();
    given.take('a', 60)?.();
    expect(given.take('a', 60)).not.toBeNull();
    expect(given.take('b', 40)).not.toBeNull();
  });

  it('given bodies that are refused, then they take nothing', () => {
    const given = room();
    expect(given.take('a', 61)).toBeNull();
    expect(given.take('a', 60)).not.toBeNull();
  });
});
