import { describe, expect, it } from '@jest/globals';
import { eventually } from './eventually.ts';

describe('eventually', () => {
  it('gives what the probe found, as soon as it finds something', async () => {
    const answers = [undefined, null, false, 'here', 'later'];
    expect(await eventually('an answer', () => answers.shift())).toBe('here');
    expect(answers).toEqual(['later']);
  });

  it('takes zero and the empty text for something found', async () => {
    expect(await eventually('a number', () => 0)).toBe(0);
    expect(await eventually('a text', () => '')).toBe('');
  });

  it('asks again when the probe throws', async () => {
    let asked = 0;
    const found = await eventually('the third try', () => {
      asked += 1;
      if (asked < 3) throw new Error('not yet');
      return Promise.resolve(asked);
    });
    expect(found).toBe(3);
  });

  it('names what did not come, with the reason of the last probe', async () => {
    const waiting = eventually(
      'a door that opens',
      () => {
        throw new Error('locked');
      },
      { deadline_ms: 1 },
    );
    await expect(waiting).rejects.toMatchObject({
      message: 'not within 1 ms: a door that opens',
      cause: new Error('locked'),
    });
  });
});
