import { describe, expect, it } from '@jest/globals';
import { HeadPrediction } from './head-prediction.ts';

const NONE = new Map<string, number>();
const head = (position: number) => ({ position, hash: `hash of ${position}` });

/** Asks for the head as a batch does, and seals onto it. */
function ask(prediction: HeadPrediction, position: number): void {
  expect(prediction.predict()).toBeNull();
  prediction.sealed(head(position), NONE);
  prediction.asked();
}

describe('the predicted head', () => {
  it('has to be asked for once; then it is what was sealed last, committed or not', () => {
    const prediction = new HeadPrediction();
    ask(prediction, 5);
    expect(prediction.predict()).toEqual(head(5));
    prediction.sealed(head(9), NONE);
    expect(prediction.predict()).toEqual(head(9));
  });

  it('is not known while somebody asks', () => {
    const prediction = new HeadPrediction();
    ask(prediction, 5);
    prediction.failed();
    prediction.predict();
    prediction.predict();
    prediction.sealed(head(7), NONE);
    prediction.asked();
    expect(prediction.predict()).toBeNull();
  });

  it('is trusted less the more often it was wrong, and more again when all goes well', () => {
    const prediction = new HeadPrediction();
    const batchesAsked = () => {
      for (let asked = 0; ; asked += 1) {
        if (prediction.predict() !== null) return asked;
        prediction.sealed(head(asked), NONE);
        prediction.asked();
      }
    };
    batchesAsked();
    const distrust = [1, 2, 3].map(() => (prediction.failed(), batchesAsked()));
    expect(distrust).toEqual([8, 16, 32]);
    for (let batch = 0; batch < 100; batch += 1) prediction.confirmed();
    prediction.failed();
    expect(batchesAsked()).toBe(8);
  });

  it('gives turns: a batch appends after the one it was sealed onto, unless that is over', async () => {
    const prediction = new HeadPrediction();
    const first = prediction.sealed(head(1), NONE);
    const second = prediction.sealed(head(2), NONE);
    expect(first.before).toBeNull();
    first.over();
    await expect(second.before).resolves.toBeUndefined();
    second.over();
    expect(prediction.sealed(head(3), NONE).before).toBeNull();
  });

  it('remembers the versions of streams until something failed', () => {
    const prediction = new HeadPrediction();
    prediction.sealed(head(3), new Map([['pool-a', 2]]));
    expect([prediction.versionOf('pool-a'), prediction.versionOf('pool-b')]).toEqual([2, 0]);
    prediction.failed();
    expect(prediction.versionOf('pool-a')).toBe(0);
  });
});
