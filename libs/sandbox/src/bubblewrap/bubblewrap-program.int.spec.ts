import { describe, expect, it } from '@jest/globals';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { findBubblewrap, type BubblewrapFinding } from './bubblewrap-program.ts';

/** What is found where a script of this text takes bubblewrap's place. */
async function foundInPlaceOf(text: string): Promise<BubblewrapFinding> {
  const dir = await mkdtemp(join(tmpdir(), 'delta-no-bwrap-'));
  try {
    await writeFile(join(dir, 'bwrap'), `#!/bin/sh\n${text}\n`, { mode: 0o755 });
    return await findBubblewrap('bwrap', [dir]);
  } finally {
    await rm(dir, { recursive: true });
  }
}

describe('what is found out about bubblewrap', () => {
  it('given one that says nothing, as to a host too busy to listen in time, nothing is said of its options', async () => {
    const found = await foundInPlaceOf('exit 0');
    expect(found).toMatchObject({ found: false, why: expect.stringMatching(/does not run: .*says nothing/u) });
  });

  it('given one without some option, it is named', async () => {
    const found = await foundInPlaceOf('echo "bubblewrap 0.1"; echo "    --size BYTES"');
    expect(found).toMatchObject({ found: false, why: expect.stringMatching(/^bubblewrap 0\.1[^]* lacks --perms/u) });
  });

  it('given one that fails, it does not run', async () => {
    expect(await foundInPlaceOf('exit 3')).toMatchObject({
      found: false,
      why: expect.stringContaining('does not run'),
    });
  });
});
