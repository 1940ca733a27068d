import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { DEFAULT_SANDBOX_LIMITS } from '../limits.ts';
import { gvisorProfile } from './gvisor-seccomp.ts';
import { BUNDLE, gvisorSetting } from './gvisor-step.ts';

const FAKE = "not-a-secret 'at all' \\ $HOME\n";
/** The names of a secret, and of what else a step may be given, that shells take for their own. */
const NAMES = ['NPM_TOKEN', 'UID', 'BASH_ENV', 'IFS', 'PS4', 'RANDOM', 'OPTARG'];

describe('what a step of tier gvisor is told', () => {
  let directory: string;
  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'delta-gvisor-step-'));
    mkdirSync(join(directory, BUNDLE));
  });
  afterEach(() => rmSync(directory, { recursive: true, force: true }));

  const launch = (variables: Readonly<Record<string, string>>) =>
    gvisorSetting({
      runsc: '/nowhere/runsc',
      setpriv: '/nowhere/setpriv',
      cgroups: { version: 2, parent: '/nowhere', cpu: true },
      layout: {
        uid: 1,
        network: 'none',
        system: {
          links: [],
          directories: [],
          etcFiles: {},
          etcDirectories: [],
          procReadOnly: [],
          procFilesToMask: [],
          procDirsToMask: [],
        },
        limits: DEFAULT_SANDBOX_LIMITS,
        seccomp: gvisorProfile(),
        rootHostDir: '/nowhere/root',
        etcHostDir: '/nowhere/etc',
        workspaceHostDir: '/nowhere/workspace',
        homeHostDir: '/nowhere/home',
        homeDir: '/home/ci',
        binds: [],
      },
      env: { PATH: '/usr/bin:/bin' },
      killGraceMs: 1,
      id: 'box',
      directory,
      watchDisk: false,
      onSurvivors: () => undefined,
    }).launch(
      // Where there is no workspace, above it.
      {
        command: { kind: 'argv', argv: ['/usr/bin/env', '-0'] },
        workdir: '..',
        env: variables,
        timeoutMs: 1,
        idleTimeoutMs: null,
      },
      [],
    );

  it.each(NAMES)('given a secret that is called %s, then it is in no file, and the step has it', (name) => {
    const { gate, argv, env } = launch({ [name]: FAKE });
    const written = readdirSync(directory, { recursive: true, withFileTypes: true }).filter((file) => file.isFile());
    const texts = written.map(({ parentPath, name: file }) => readFileSync(join(parentPath, file), 'utf8'));
    expect(texts).toHaveLength(1);
    for (const text of [...texts, JSON.stringify([argv, env])]) expect(text).not.toContain('not-a-secret');
    const { stdout } = spawnSync('/bin/sh', ['-s'], { input: gate?.words ?? '', env: {}, encoding: 'utf8' });
    expect(stdout.split('\0')).toContain(`${name}=${FAKE}`);
  });
});
