import { describe, expect, it } from '@jest/globals';
import { answeringSocket } from '../../../tools/bootstrap/index.mjs';

/**
 * Declares `suite` where a container engine answers, and gives it the engine's socket. Elsewhere one test says by its
 * name that none did: it passes, unless `DELTA_TEST_INFRA=docker` says that there has to be one.
 */
export async function whereAnEngineAnswers(subject: string, suite: (socket: string) => void): Promise<void> {
  const socket = await answeringSocket();
  if (socket !== null) {
    describe(`${subject} on this host's engine`, () => {
      suite(socket);
    });
    return;
  }
  describe(`${subject} was not tried`, () => {
    it('skipped: no container engine answers', () => {
      expect(process.env['DELTA_TEST_INFRA']).not.toBe('docker');
    });
  });
}
