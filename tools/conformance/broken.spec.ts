import { describe, expect, it } from '@jest/globals';
import { BROKEN_GATEWAYS } from './broken-gateways.ts';
import { BROKEN_RUNNERS } from './broken-runners.ts';
import { EXAMPLE_TEXT } from './example-runner.fixture.ts';
import { GATEWAY_IDS } from './gateway/check-gateway.ts';
import { RUNNER_IDS } from './runner/check-runner.ts';

describe('the kit', () => {
  it('has a broken runner for each requirement', () => {
    const caught = new Set<string>(BROKEN_RUNNERS.map((broken) => broken.caught));
    expect(RUNNER_IDS.filter((id) => !caught.has(id))).toEqual([]);
  });

  it('has a broken gateway for each requirement', () => {
    const caught = new Set<string>(BROKEN_GATEWAYS.map((broken) => broken.caught));
    expect(GATEWAY_IDS.filter((id) => !caught.has(id))).toEqual([]);
  });

  it.each(BROKEN_RUNNERS)('breaks the example in one place: $mistake', ({ piece, instead }) => {
    expect([EXAMPLE_TEXT.split(piece).length, piece === instead]).toEqual([2, false]);
  });
});
