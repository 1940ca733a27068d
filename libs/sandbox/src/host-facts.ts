import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { promisify } from 'node:util';
import { askProgram } from './ask-program.ts';
import { findBubblewrap } from './bubblewrap/bubblewrap-program.ts';
import { findLoopDisk } from './bubblewrap/loop-disk.ts';
import { findRootTools } from './bubblewrap/root-view.ts';
import { controllersOf, detectCgroups } from './cgroup/cgroup-host.ts';
import { EngineClient } from './container/engine-client.ts';
import { findGvisor } from './gvisor/gvisor-program.ts';
import { findProgram, SYSTEM_PROGRAM_DIRS } from './find-program.ts';

/** One thing of a host that sandboxes are made of: whether it is there, what was found, and how to get it. */
export type HostFact = {
  readonly name: string;
  readonly isThere: boolean;
  readonly found: string;
  /** Null when it is there, or cannot be had. */
  readonly remedy: string | null;
};

export type HostQuestions = {
  /** Where trials are made: private, on the disk where sandboxes will be. */
  readonly stateDir: string;
  /** Path or name of bubblewrap, and where a bare name is looked for. */
  readonly bwrap: string;
  readonly programDirs: readonly string[];
  /** Path or name of gVisor's `runsc`. */
  readonly runsc: string;
  /** The engine's unix socket; null where an engine of another machine is named. */
  readonly engineSocket: string | null;
};

const there = (name: string, found: string): HostFact => ({ name, isThere: true, found, remedy: null });
const lacking = (name: string, found: string, remedy: string): HostFact => ({ name, isThere: false, found, remedy });

const ASK_MS = 5_000;

const isRoot = (): boolean => process.getuid?.() === 0;

/** The first line of what a program says of itself; null when it does not run. */
async function versionOf(name: string, directories: readonly string[]): Promise<string | null> {
  const path = findProgram(name, directories);
  if (path === null) return null;
  return askProgram(path, '--version').then(
    (said) => said.split('\n')[0] ?? '',
    () => null,
  );
}

async function bubblewrap({ bwrap, programDirs }: HostQuestions): Promise<HostFact> {
  const finding = await findBubblewrap(bwrap, programDirs);
  return finding.found
    ? there('bubblewrap', `${finding.program.version} at ${finding.program.path}`)
    : lacking('bubblewrap', finding.why, finding.remedy);
}

async function gvisor({ runsc, programDirs }: HostQuestions): Promise<HostFact> {
  const finding = await findGvisor(runsc, programDirs);
  return finding.found
    ? there('gVisor', `${finding.program.version} at ${finding.program.path}`)
    : lacking('gVisor', finding.why, finding.remedy);
}

function controlGroups(): HostFact {
  const finding = detectCgroups();
  if (!finding.found) return lacking('control groups', finding.why, finding.remedy);
  const { host } = finding;
  const where = host.version === 2 ? ` below ${host.parent}` : '';
  return there('control groups', `v${host.version}${where}: ${controllersOf(host).join(', ')}`);
}

const settingOf = (path: string): string | null => {
  try {
    return readFileSync(path, 'utf8').trim();
  } catch {
    return null;
  }
};

/** Tried, because a kernel has several ways to forbid them. */
async function userNamespaces(): Promise<HostFact> {
  const name = 'user namespaces';
  const unshare = findProgram('unshare', SYSTEM_PROGRAM_DIRS);
  if (unshare === null) return lacking(name, 'unshare was not found', 'install util-linux');
  const made = await promisify(execFile)(unshare, ['--user', 'true'], { timeout: ASK_MS, env: {} }).then(
    () => true,
    () => false,
  );
  if (made) return there(name, isRoot() ? 'can be made by root, who does without them' : 'can be made by this user');
  const settings = [
    'kernel/unprivileged_userns_clone',
    'user/max_user_namespaces',
    'kernel/apparmor_restrict_unprivileged_userns',
  ]
    .map((setting) => [setting.replace('/', '.'), settingOf(`/proc/sys/${setting}`)] as const)
    .flatMap(([setting, value]) => (value === null ? [] : [`${setting}=${value}`]));
  return lacking(name, `cannot be made (${settings.join(', ')})`, 'allow them by these settings, or run as root');
}

function seccomp(): HostFact {
  const actions = settingOf('/proc/sys/kernel/seccomp/actions_avail');
  return actions === null
    ? lacking('seccomp', 'this kernel has no filters of system calls', 'boot a kernel with CONFIG_SECCOMP_FILTER')
    : there('seccomp', 'filters of system calls');
}

async function disks({ stateDir }: HostQuestions): Promise<readonly HostFact[]> {
  const names = ['loop devices and ext4', 'overlayfs'] as const;
  const purposes = ['a disk of its own for a job', 'a layer of its own over an image for a job'] as const;
  if (!isRoot())
    return names.map((name, index) => lacking(name, `not tried: ${purposes[index] ?? ''} takes root`, 'run as root'));
  await mkdir(stateDir, { recursive: true, mode: 0o700 });
  const setpriv = findProgram('setpriv', SYSTEM_PROGRAM_DIRS) ?? '';
  const [loop, tools] = await Promise.all([findLoopDisk(stateDir), findRootTools('root', setpriv, stateDir)]);
  const [loopName, overlayName] = names;
  return [
    loop === null
      ? lacking(
          loopName,
          'no file system could be made and mounted',
          'install e2fsprogs, and give access to /dev/loop-control',
        )
      : there(loopName, purposes[0]),
    tools.mount === null
      ? lacking(
          overlayName,
          'could not be mounted: images are read-only',
          'keep the data directory on ext4 or xfs, with CAP_SYS_ADMIN',
        )
      : there(overlayName, purposes[1]),
    tools.become === null
      ? lacking(
          'setpriv of glibc',
          'jobs cannot have images',
          'install util-linux and libc-bin, on a system with glibc',
        )
      : there('setpriv of glibc', 'jobs can have images'),
  ];
}

async function engine({ engineSocket }: HostQuestions): Promise<HostFact> {
  const name = 'container engine';
  const remedy = 'start Docker, and let this user talk to it';
  if (engineSocket === null) return lacking(name, 'the one that is named is of another machine', remedy);
  const client = new EngineClient(engineSocket);
  if (!(await client.answers())) return lacking(name, `none answers at ${engineSocket}`, remedy);
  const version = await client.facts().then(
    (facts) => facts.version,
    () => 'of an unknown version',
  );
  return there(name, `${version} at ${engineSocket}`);
}

async function programFact(name: string, { programDirs }: HostQuestions, remedy: string): Promise<HostFact> {
  const version = await versionOf(name, [...programDirs, ...SYSTEM_PROGRAM_DIRS]);
  return version === null ? lacking(name, 'not found', remedy) : there(name, version);
}

/** Looks at what this host has, by trying. Nothing of it stays. */
export async function lookAtHost(questions: HostQuestions): Promise<readonly HostFact[]> {
  const facts = await Promise.all([
    bubblewrap(questions),
    userNamespaces(),
    disks(questions),
    gvisor(questions),
    engine(questions),
    programFact('git', questions, 'install git: without it nothing is checked out'),
  ]);
  return [controlGroups(), seccomp(), ...facts.flat()];
}
