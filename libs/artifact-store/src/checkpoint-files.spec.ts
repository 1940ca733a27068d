import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe } from '@jest/globals';
import { checkpointContract, type CheckpointPlace } from './checkpoint-contract.fixture.ts';
import { CheckpointFiles } from './checkpoint-files.ts';

describe('checkpoints on a filesystem', () => {
  checkpointContract(openFiles);
});

async function openFiles(): Promise<CheckpointPlace> {
  const directory = await mkdtemp(join(tmpdir(), 'delta-checkpoints-'));
  return {
    checkpoints: new CheckpointFiles(directory),
    async overwriteTheOne(text) {
      const folder = join(directory, 'checkpoints', '000000000000');
      const [name = ''] = await readdir(folder);
      await writeFile(join(folder, name), text);
    },
    end: async () => rm(directory, { recursive: true, force: true }),
  };
}
