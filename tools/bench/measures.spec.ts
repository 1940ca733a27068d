import { describe, expect, it } from '@jest/globals';
import { MEASURES } from './measures.ts';
import { GOALS } from './report/goals.ts';

describe('the measures', () => {
  const names = MEASURES.map(({ name }) => name);

  it('have names of their own, which figures can begin with', () => {
    expect(new Set(names).size).toBe(names.length);
    for (const name of names) expect(name).toMatch(/^[a-z0-9-]+$/);
  });

  it.each(GOALS.flatMap((goal) => ('aheadOf' in goal ? [goal.figure, goal.aheadOf] : [goal.figure])))(
    'take %s, which a goal is about',
    (figure) => {
      expect(names).toContain(figure.split('.')[0]);
    },
  );
});
