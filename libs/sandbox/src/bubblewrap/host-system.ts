import { lstatSync, readdirSync, readlinkSync, existsSync } from 'node:fs';

/**
 * The parts of the host that every sandbox shows, read-only: programs, libraries and the few files of /etc that they
 * cannot do without. Nothing here holds secrets on any distribution we know.
 */
export type HostSystem = {
  readonly links: readonly { readonly at: string; readonly to: string }[];
  readonly directories: readonly string[];
  readonly etc: readonly string[];
  readonly procFilesToMask: readonly string[];
  readonly procDirsToMask: readonly string[];
};

const TOP_DIRECTORIES = ['/usr', '/bin', '/sbin', '/lib', '/lib32', '/lib64', '/libx32'];

const ETC_ENTRIES = [
  'alternatives',
  'ca-certificates',
  'ca-certificates.conf',
  'crypto-policies',
  'ld.so.cache',
  'ld.so.conf',
  'ld.so.conf.d',
  'localtime',
  'mime.types',
  'os-release',
  'pki/ca-trust',
  'pki/tls/certs',
  'protocols',
  'services',
  'ssl/cert.pem',
  'ssl/certs',
  'ssl/openssl.cnf',
  'terminfo',
  'timezone',
];

/** Kernel addresses, keys, timers, hardware: the host's business. */
const PROC_FILES = [
  'config.gz',
  'iomem',
  'ioports',
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
  'pagetypeinfo',
  'sched_debug',
  'slabinfo',
  'sysrq-trigger',
  'timer_list',
  'timer_stats',
  'vmallocinfo',
  'zoneinfo',
];
const PROC_DIRECTORIES = ['acpi', 'asound', 'driver', 'scsi', 'sysvipc'];

/** Looks once; what a host shows does not change while an agent runs. */
export function readHostSystem(): HostSystem {
  const present = TOP_DIRECTORIES.filter((path) => existsSync(path));
  const isLink = (path: string): boolean => lstatSync(path).isSymbolicLink();
  const proc = new Set(readdirSync('/proc'));
  return {
    links: present.filter(isLink).map((at) => ({ at, to: readlinkSync(at) })),
    directories: present.filter((path) => !isLink(path)),
    etc: ETC_ENTRIES.map((entry) => `/etc/${entry}`).filter((path) => existsSync(path)),
    procFilesToMask: PROC_FILES.filter((name) => proc.has(name)).map((name) => `/proc/${name}`),
    procDirsToMask: PROC_DIRECTORIES.filter((name) => proc.has(name)).map((name) => `/proc/${name}`),
  };
}
