import { existsSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import { Interrupted, Scene } from './scene.ts';

describe('a scene', () => {
  const setUp = () => {
    const closed: string[] = [];
    const scene = new Scene();
    const open = async (name: string) =>
      scene.open(
        () => name,
        () => closed.push(name),
      );
    return { scene, closed, open };
  };

  it('closes what was opened in reverse order, once', async () => {
    const { scene, closed, open } = setUp();
    await open('a');
    await open('b');
    await scene.end();
    await scene.end();
    expect(closed).toEqual(['b', 'a']);
    expect(scene.over.aborted).toBe(true);
  });

  it('given that one cannot be closed, then the others are, and the trouble is told', async () => {
    const { scene, closed, open } = setUp();
    await open('a');
    await scene.open(
      () => 'b',
      () => Promise.reject(new Error('stuck')),
    );
    await expect(scene.end()).rejects.toThrow('stuck');
    expect(closed).toEqual(['a']);
  });

  it('given that it ends while something opens, then that is closed as soon as it is open', async () => {
    const { scene, closed } = setUp();
    const { promise, resolve } = Promise.withResolvers<string>();
    const opening = scene.open(
      () => promise,
      (name) => closed.push(name),
    );
    await scene.end();
    resolve('late');
    await expect(opening).rejects.toThrow(Interrupted);
    expect(closed).toEqual(['late']);
  });

  it('given that it has ended, then nothing more is opened', async () => {
    const { scene, open } = setUp();
    await scene.end();
    await expect(open('a')).rejects.toThrow(Interrupted);
  });

  it('closes what a part of it opened when the part is over, also when it fails', async () => {
    const { scene, closed, open } = setUp();
    await open('whole');
    const failing = scene.part(async (part) => {
      await part.open(
        () => 'part',
        (name) => closed.push(name),
      );
      throw new Error('failed');
    });
    await expect(failing).rejects.toThrow('failed');
    expect(closed).toEqual(['part']);
    await scene.end();
    expect(closed).toEqual(['part', 'whole']);
  });

  it('deletes its directories', async () => {
    const { scene } = setUp();
    const path = await scene.directory('spec');
    expect(existsSync(path)).toBe(true);
    await scene.end();
    expect(existsSync(path)).toBe(false);
  });
});
