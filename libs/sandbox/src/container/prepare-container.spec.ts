import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { OWN_USER_IDS } from '../bubblewrap/user-ids.ts';
import { specFor, withDirectories } from '../testing/open-sandbox.fixture.ts';
import type { ContainerEngine } from './container-engine.ts';
import { EngineClient } from './engine-client.ts';
import { prepareContainer } from './prepare-container.ts';
import { seccompProfile } from './seccomp-profile.ts';

/** Only root has user ids to give: anybody else runs jobs as itself. */
const describeAsRoot = process.getuid?.() === 0 ? describe : describe.skip;

describeAsRoot('the user id of a sandbox', () => {
  it('is not given to another one while nobody can tell whether its containers are gone', async () => {
    await withDirectories(async (stateDir, hostDir) => {
      const engine: ContainerEngine = {
        client: new EngineClient(join(stateDir, 'no.sock')),
        version: '',
        image: '',
        system: null,
        arch: 'x64',
        seccomp: seccompProfile('x64'),
        limitLayers: [],
      };
      const next = OWN_USER_IDS.take();
      if (next === null) throw new Error('all are taken');
      OWN_USER_IDS.giveBack(next);
      const opened = await prepareContainer({ engine, layers: [], stateDir, killGraceMs: 1 }, specFor(hostDir));
      if (!opened.ok) throw new Error(opened.refusal.message);
      const { leftovers } = await opened.sandbox.close();
      expect(leftovers).toEqual([expect.stringContaining('does not answer')]);
      expect(OWN_USER_IDS.take()).not.toBe(next);
    });
  });
});
