import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import { discover } from '../../discover.ts';
import { snapshotOf } from '../../planned-repository.fixture.ts';
import { discoveryText } from './discovery-text.fixture.ts';
import { filesOfTree } from './tree-text.fixture.ts';

/**
 * What discovery makes of realistic trees. Each `NAME.tree.txt` holds the files that matter, each below a line
 * `-- path --`; `NAME.units.txt` is what is found in it. `UPDATE_TREES=1` writes the latter anew, and the difference is
 * then there to be read.
 */
const HERE = new URL('./', import.meta.url);
const NAMES = readdirSync(HERE).flatMap((file) => (file.endsWith('.tree.txt') ? [file.replace('.tree.txt', '')] : []));

describe('discovery of', () => {
  it.each(NAMES)('%s', (name) => {
    const files = filesOfTree(readFileSync(new URL(`${name}.tree.txt`, HERE), 'utf8'));
    const text = discoveryText(discover(snapshotOf(files)));
    const golden = new URL(`${name}.units.txt`, HERE);
    if (process.env['UPDATE_TREES'] === '1') writeFileSync(golden, text);
    expect(text).toBe(readFileSync(golden, 'utf8'));
  });
});
