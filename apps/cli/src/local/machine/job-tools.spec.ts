import { chmod, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { KNOWN_TOOLS, toolsOfJobs, toolsText } from './job-tools.ts';

describe('toolchains that jobs of a local run find', () => {
  let place = '';
  beforeEach(async () => {
    place = await mkdtemp(join(tmpdir(), 'delta-tools-'));
  });
  afterEach(async () => rm(place, { recursive: true, force: true }));

  async function program(path: string, script: string): Promise<string> {
    const file = join(place, path);
    await mkdir(dirname(file), { recursive: true });
    await writeFile(file, `#!/bin/sh\n${script}\n`);
    await chmod(file, 0o755);
    return file;
  }

  it('given several of a kind, then the first that a job would find, and what it says of itself', async () => {
    const path = await program('mine/bin/node', 'echo v1.2.3');
    await program('other/bin/node', 'echo v9.9.9');
    const tools = await toolsOfJobs([join(place, 'mine'), join(place, 'other')]);
    expect(tools).toContainEqual({ name: 'node', path, version: '1.2.3' });
    expect(tools.filter(({ name }) => name === 'node')).toHaveLength(1);
  });

  it.each([
    ['go', 'go', 'echo "go version go1.26.4 linux/amd64"', '1.26.4'],
    ['java', 'java', `echo 'openjdk version "21" 2023-09-19' >&2`, '21'],
    ['rust', 'cargo', 'echo "cargo 1.91.0 (376290515 2025-07-16)"', '1.91.0'],
    ['php', 'php', 'exit 3', null],
    ['ruby', 'ruby', 'echo of course', null],
  ])('%s', async (name, file, script, version) => {
    const path = await program(`mine/bin/${file}`, script);
    expect(await toolsOfJobs([join(place, 'mine')])).toContainEqual({ name, path, version });
  });

  it('given one that never answers, whatever it is sent, then it is one that does not say its version', async () => {
    const path = await program('mine/bin/ruby', "trap '' TERM; exec sleep 600");
    expect(await toolsOfJobs([join(place, 'mine')], 500)).toContainEqual({ name: 'ruby', path, version: null });
  });

  it('are told folder by folder', () => {
    expect(
      toolsText([
        { name: 'node', path: '/opt/node/bin/node', version: '24.1.0' },
        { name: 'python', path: '/usr/bin/python3', version: '3.11' },
        { name: 'php', path: '/usr/bin/php', version: null },
      ]),
    ).toBe('node 24.1.0 in /opt/node/bin; python 3.11, php (which does not say its version) in /usr/bin');
    expect(toolsText([])).toBe(`none of ${KNOWN_TOOLS.join(', ')}`);
  });
});
