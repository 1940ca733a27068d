import { describe, expect, it } from '@jest/globals';
import { askOwner } from './ask-owner.ts';

/**
 * Declares `suite` where a container engine is to be had, and gives it the engine's socket: of the one that answers on this host, or
 * of one that the tests have of their own. Elsewhere one test says by its name why it was not tried: it passes, unless
 * `DELTA_TEST_ENGINE=required`, or `DELTA_TEST_INFRA=docker` says that one answers.
 */
export async function whereAnEngineAnswers(subject: string, suite: (socket: string) => void): Promise<void> {
  const found = await askOwner({ ask: 'find-container-engine' });
  if (found.socket !== null) {
    const { socket, ours } = found;
    describe(`${subject} on ${ours ? "the tests' own engine" : "this host's engine"}`, () => {
      suite(socket);
    });
    return;
  }
  describe(`${subject} was not tried`, () => {
    it(`skipped: ${found.reason}`, () => {
      expect(process.env['DELTA_TEST_ENGINE']).not.toBe('required');
      expect(process.env['DELTA_TEST_INFRA']).not.toBe('docker');
    });
  });
}
