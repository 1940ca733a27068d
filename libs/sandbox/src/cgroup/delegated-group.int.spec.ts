import { describe, expect, it } from '@jest/globals';
import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdir, readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { detectCgroups } from './cgroup-host.ts';
import { CGROUP_PREFIX, killMembers, removeGroup } from './step-cgroup.ts';

const PROGRAM = fileURLToPath(new URL('../testing/in-delegated-group.fixture.ts', import.meta.url));

/** As a container engine does it: the group looks like the top one, and is given with its processes in it. */
const INSIDE = 'umount /sys/fs/cgroup && mount -t cgroup2 none /sys/fs/cgroup && exec "$@"';
const ENTER = 'echo 0 >"$1/cgroup.procs" || exit 125; shift; exec unshare --cgroup --mount /bin/sh -c "$@"';

/** What the program says from within a group below `parent`, which is gone afterwards with all that was made below it. */
async function fromWithin(parent: string): Promise<{ readonly said: readonly unknown[]; readonly made: string[] }> {
  const group = join(parent, `${CGROUP_PREFIX}${randomBytes(8).toString('hex')}-0`);
  await mkdir(group);
  try {
    const node = [process.execPath, '--no-warnings', PROGRAM];
    const { stdout } = await promisify(execFile)('/bin/sh', ['-c', ENTER, 'sh', group, INSIDE, 'sh', ...node]);
    const entries = await readdir(group, { withFileTypes: true });
    const made = entries.filter((entry) => entry.isDirectory()).map(({ name }) => name);
    const handedDown = await readFile(join(group, 'cgroup.subtree_control'), 'utf8');
    return {
      said: [
        ...stdout
          .trim()
          .split('\n')
          .map((line) => JSON.parse(line) as unknown),
        handedDown.trim(),
      ],
      made,
    };
  } finally {
    for (const name of ['delta-ci-wardens', '.']) {
      await killMembers(join(group, name));
      await removeGroup(join(group, name).replace(/\/\.$/u, ''));
    }
  }
}

const finding = detectCgroups();
const isRoot = process.getuid?.() === 0;

if (!finding.found || finding.host.version !== 2 || !isRoot) {
  describe('a group that was delegated with us in it cannot be made on this host', () => {
    it(`says why: ${isRoot ? 'there are no control groups v2 to make it in' : 'it takes root'}`, () => {
      expect(isRoot && finding.found && finding.host.version === 2).toBe(false);
    });
  });
} else {
  const { host } = finding;
  describe('a group that was delegated with us in it', () => {
    it('hands its controllers down, since all that is in it moves below, and whoever comes later finds it so', async () => {
      const controllers = (await readFile(join(host.parent, 'cgroup.subtree_control'), 'utf8')).trim();
      const { said, made } = await fromWithin(host.parent);
      const found = { found: true, host: { version: 2, parent: '/sys/fs/cgroup', cpu: controllers.includes('cpu') } };
      expect(said).toEqual([found, found, controllers]);
      expect(made).toEqual(['delta-ci-wardens']);
    });
  });
}
