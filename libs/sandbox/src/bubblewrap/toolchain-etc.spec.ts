import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { etcOfToolchains } from './toolchain-etc.ts';

describe('what toolchains of a distribution have in /etc', () => {
  let etc = '';
  beforeEach(() => {
    etc = mkdtempSync(join(tmpdir(), 'delta-etc-'));
  });
  afterEach(() => rmSync(etc, { recursive: true, force: true }));

  it('given several versions beside other things, then the folders of toolchains are shown and nothing else', () => {
    for (const name of [
      'java-17-openjdk/security',
      'java-21-openjdk',
      'php/8.2/cli/conf.d',
      'php/8.2/mods-available',
    ]) {
      mkdirSync(join(etc, name), { recursive: true });
    }
    for (const name of ['php/8.2/fpm', 'shadow.d', 'java-17-openjdk-notes', 'maven']) {
      mkdirSync(join(etc, name), { recursive: true });
    }
    writeFileSync(join(etc, 'php/readme'), '');
    writeFileSync(join(etc, 'java-11-openjdk'), '');
    const shown = ['java-17-openjdk', 'java-21-openjdk', 'php/8.2/cli', 'php/8.2/mods-available'];
    expect(etcOfToolchains(etc)).toEqual(shown);
  });

  it('given none, then nothing is shown', () => {
    expect(etcOfToolchains(etc)).toEqual([]);
  });
});
