import { describe, expect, it } from '@jest/globals';
import { FileArtifactStore } from '@delta-ci/artifact-store';
import { whileRemoving } from '@delta-ci/event-log';
import { somebodyWaits } from '../../../../test/support/infra/index.ts';
import { Caches, KEY, chunkOf, send } from './lease-caches.fixture.ts';

describe('a cache whose chunks are removed at the same moment, because nothing referred to them', () => {
  it.each([
    ['for the first time', 0],
    ['once more, because its answer was lost', 1],
  ])(
    'given it is saved %s, then the answer waits for the removal and is no, and nobody is given it',
    async (_, before) => {
      const caches = await Caches.open();
      const { gateway } = caches;
      const store = new FileArtifactStore(gateway.artifactDir);
      const runner = await caches.working();
      const one = chunkOf('what npm has downloaded\n');
      const save = async () => runner.ask('', { key: KEY, content: { home: [one.chunk], workspace: [] } });
      await send(runner, one);
      caches.whenRecorded = async (command) => caches.keep(runner.runId, command, 'trusted');
      for (let at = 0; at < before; at += 1) await save();
      let saved = Promise.resolve<Awaited<ReturnType<typeof save>> | null>(null);
      await whileRemoving(gateway.log, 'cache-chunk', async () => {
        saved = save();
        await Promise.race([saved, somebodyWaits(gateway.log.pool)]);
        await store.caches.remove([one.chunk.digest]);
      });
      expect(caches.recorded).toHaveLength(1);
      expect(await saved).toMatchObject({ status: 404, code: 'not_found' });
      expect(caches.removed.map(({ data }) => data)).toMatchObject([{ because: 'damaged', caches: [{ key: KEY }] }]);
      await gateway.end();
    },
  );
});
