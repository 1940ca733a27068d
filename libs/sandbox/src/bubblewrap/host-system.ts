import { existsSync, lstatSync, readdirSync, readFileSync, readlinkSync, statSync } from 'node:fs';
import { mountPoints } from '../mount-table.ts';
import { etcOfToolchains } from './toolchain-etc.ts';

/**
 * The parts of the host that every sandbox shows: programs and libraries, read-only, and the little of /etc that they
 * cannot do without. Nothing here holds secrets on any distribution we know.
 */
export type HostSystem = {
  readonly links: readonly { readonly at: string; readonly to: string }[];
  readonly directories: readonly string[];
  /** Small files of /etc, copied into each sandbox: every mount costs more than writing them does. Content by name. */
  readonly etcFiles: Readonly<Record<string, Buffer>>;
  /** Directories of /etc, by name. */
  readonly etcDirectories: readonly string[];
  /** What of /proc changes the kernel for everybody: not even root writes it, inside. */
  readonly procReadOnly: readonly string[];
  readonly procFilesToMask: readonly string[];
  readonly procDirsToMask: readonly string[];
};

const TOP_DIRECTORIES = ['/usr', '/bin', '/sbin', '/lib', '/lib32', '/lib64', '/libx32'];

/**
 * No localtime: jobs live in UTC wherever they run. Of Maven's folder not the settings, where passwords of servers may
 * stand.
 */
const ETC_FILES = [
  'dotnet/install_location',
  'ld.so.cache',
  'maven/logging/simplelogger.properties',
  'maven/m2.conf',
  'mime.types',
  'os-release',
  'protocols',
  'services',
  'ssl/cert.pem',
  'ssl/openssl.cnf',
];
const ETC_DIRECTORIES = ['alternatives', 'crypto-policies', 'pki/ca-trust', 'pki/tls/certs', 'ssl/certs', 'terminfo'];

/** Kernel addresses, keys, timers, hardware: the host's business. */
const PROC_FILES = [
  'kallsyms',
  'kcore',
  'key-users',
  'keys',
  'kmsg',
  'kpagecgroup',
  'kpagecount',
  'kpageflags',
  'latency_stats',
  'mtrr',
  'sched_debug',
  'slabinfo',
  'sysrq-trigger',
  'timer_list',
  'timer_stats',
  'vmallocinfo',
];
const PROC_DIRECTORIES = ['acpi', 'asound', 'scsi'];

/** Settings of the kernel, its file systems, interrupts and buses, and its emergency keys. */
const PROC_SETTINGS = ['bus', 'fs', 'irq', 'sys', 'sysrq-trigger'];

/** What is for root alone is closed to a job by its mode; a mask is for what the mode leaves open to anybody. */
const isOpenToOthers = (path: string): boolean => (statSync(path).mode & 0o077) !== 0;

const presentEtc = (names: readonly string[]): readonly string[] => names.filter((name) => existsSync(`/etc/${name}`));

/** The topmost directories below these on which the host mounted something: it would come along, and no job has a use for it. */
function mountedBelow(paths: readonly string[]): readonly string[] {
  const points = [...new Set(mountPoints())].filter((point) => paths.some((path) => point.startsWith(`${path}/`)));
  return points.filter(
    (point) =>
      !points.some((above) => point.startsWith(`${above}/`)) &&
      lstatSync(point, { throwIfNoEntry: false })?.isDirectory() === true,
  );
}

/** Looks once; what a host shows does not change while a warden runs. */
export function readHostSystem(): HostSystem {
  const present = TOP_DIRECTORIES.filter((path) => existsSync(path));
  const isLink = (path: string): boolean => lstatSync(path).isSymbolicLink();
  const proc = new Set(readdirSync('/proc'));
  const inProc = (names: readonly string[]): readonly string[] =>
    names.filter((name) => proc.has(name)).map((name) => `/proc/${name}`);
  const procReadOnly = inProc(PROC_SETTINGS);
  return {
    links: present.filter(isLink).map((at) => ({ at, to: readlinkSync(at) })),
    directories: present.filter((path) => !isLink(path)),
    etcFiles: Object.fromEntries(presentEtc(ETC_FILES).map((name) => [name, readFileSync(`/etc/${name}`)])),
    etcDirectories: [...presentEtc(ETC_DIRECTORIES), ...etcOfToolchains('/etc')],
    procReadOnly,
    procFilesToMask: inProc(PROC_FILES).filter(isOpenToOthers),
    procDirsToMask: [...inProc(PROC_DIRECTORIES), ...mountedBelow(procReadOnly)],
  };
}

/** Files of /proc that a job must not be able to read, masked or not. */
export const CLOSED_PROC_FILES: readonly string[] = PROC_FILES.map((name) => `/proc/${name}`);

/** What of /proc a job must not be able to write, whoever it manages to be. */
export const READ_ONLY_PROC: readonly string[] = PROC_SETTINGS.map((name) => `/proc/${name}`);
