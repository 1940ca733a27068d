import { describe, expect, it } from '@jest/globals';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { limitReports } from '../limit-reports.ts';
import { findCgroupHost, parseCgroupMounts } from './cgroup-host.ts';

/** Directories that look like control groups to whoever only reads and writes files. */
async function withTree<T>(files: Readonly<Record<string, string>>, use: (root: string) => Promise<T>): Promise<T> {
  const root = await mkdtemp(join(tmpdir(), 'delta-cgroups-'));
  try {
    for (const [path, content] of Object.entries(files)) {
      await mkdir(join(root, path, '..'), { recursive: true });
      await writeFile(join(root, path), content);
    }
    return await use(root);
  } finally {
    await rm(root, { recursive: true });
  }
}

const v2Mount = (at: string, root = '/'): string =>
  `30 23 0:26 ${root} ${at} rw,relatime shared:9 - cgroup2 cgroup2 rw,nsdelegate`;
const v1Mount = (at: string, controller: string): string => `31 23 0:27 / ${at} rw - cgroup cgroup rw,${controller}`;

describe('finding control groups', () => {
  it('reads mounts of both versions and paths with spaces', () => {
    const mounts = parseCgroupMounts(
      [v2Mount('/a\\040b'), v1Mount('/m', 'memory'), '1 1 0:1 / / rw - ext4 x rw'].join('\n'),
    );
    expect(mounts).toEqual([
      { version: 2, controllers: [], root: '/', at: '/a b' },
      { version: 1, controllers: ['rw', 'memory'], root: '/', at: '/m' },
    ]);
  });

  it('given v1 controllers it may write to, it takes them, and not the v2 tree without controllers', async () => {
    await withTree({ 'memory/cgroup.procs': '', 'pids/cgroup.procs': '', 'unified/cgroup.procs': '' }, async (root) => {
      const mountinfo = [
        v1Mount(`${root}/memory`, 'memory'),
        v1Mount(`${root}/pids`, 'pids'),
        v2Mount(`${root}/unified`),
      ].join('\n');
      expect(findCgroupHost(mountinfo, '0::/\n')).toEqual({
        found: true,
        host: {
          version: 1,
          memory: `${root}/memory`,
          pids: `${root}/pids`,
          cpu: null,
          cpuacct: null,
          blkio: null,
        },
      });
    });
  });

  it('given a delegated v2 ancestor, it makes groups there and not in the group it lives in', async () => {
    const files = {
      'user.slice/cgroup.procs': '',
      'user.slice/cgroup.subtree_control': 'cpu memory pids\n',
      'user.slice/app.scope/cgroup.procs': '77\n',
      'user.slice/app.scope/cgroup.subtree_control': '\n',
    };
    await withTree(files, async (root) => {
      const found = findCgroupHost(v2Mount(root), '0::/user.slice/app.scope\n');
      expect(found).toEqual({ found: true, host: { version: 2, parent: `${root}/user.slice`, cpu: true } });
    });
  });

  it('given a delegated v2 ancestor without the cpu controller, it says so', async () => {
    const files = { 'user.slice/cgroup.procs': '', 'user.slice/cgroup.subtree_control': 'memory pids\n' };
    await withTree(files, async (root) => {
      const found = findCgroupHost(v2Mount(root), '0::/user.slice\n');
      expect(found).toMatchObject({ found: true, host: { parent: `${root}/user.slice`, cpu: false } });
      expect(limitReports(found, null)).toContainEqual({
        layer: 'cpu-limit',
        state: 'missing',
        by: 'no cpu controller',
        remedy: expect.stringContaining('Delegate=cpu'),
      });
    });
  });

  it('given a v2 group that holds us and has what it needs, everybody in it moves below before it hands down', async () => {
    const files = {
      'unit/cgroup.procs': '77\n',
      'unit/cgroup.controllers': 'cpu memory pids\n',
      'unit/cgroup.subtree_control': '',
    };
    await withTree(files, async (root) => {
      findCgroupHost(v2Mount(root), '0::/unit\n');
      expect(await readFile(join(root, 'unit/delta-ci-wardens/cgroup.procs'), 'utf8')).toBe('77');
      expect(await readFile(join(root, 'unit/cgroup.subtree_control'), 'utf8')).toBe('+memory +pids +cpu');
    });
  });

  it('given the top v2 group, it asks for the controllers there', async () => {
    const files = { 'cgroup.procs': '', 'cgroup.controllers': 'cpu io memory pids\n', 'cgroup.subtree_control': '' };
    await withTree(files, async (root) => {
      findCgroupHost(v2Mount(root), '0::/\n');
      expect(await readFile(join(root, 'cgroup.subtree_control'), 'utf8')).toBe('+memory +pids +cpu +io');
    });
  });

  it('given nothing delegated, it says why and how to get it', async () => {
    await withTree({ 'a/cgroup.procs': '', 'a/cgroup.subtree_control': 'cpu\n' }, async (root) => {
      expect(findCgroupHost(v2Mount(root), '0::/a\n')).toMatchObject({
        found: false,
        remedy: expect.stringContaining('Delegate=yes'),
      });
    });
    expect(findCgroupHost('', '')).toMatchObject({ found: false, why: 'no control groups are mounted' });
  });
});
