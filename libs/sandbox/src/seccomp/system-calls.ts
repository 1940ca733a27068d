/** Machines the filter is assembled for, as Node names them. */
export type FilterArch = 'x64' | 'arm64';

type Numbers = readonly [x64: number | null, arm64: number | null];

/** AUDIT_ARCH_* of linux/audit.h. */
export const AUDIT_ARCH: Readonly<Record<FilterArch, number>> = { x64: 0xc000003e, arm64: 0xc00000b7 };

/**
 * The newest call the rules were written against (mseal, Linux 6.10; numbers are the same everywhere since 424).
 * Anything newer answers ENOSYS, as it would on an older kernel, until somebody has looked at it.
 */
export const NEWEST_KNOWN_CALL = 462;

/** Set in the number of every x32 call on x86-64: a second, rarely tested door into the same kernel. */
export const X32_CALL_BIT = 0x40000000;

/** Refused with EPERM whatever the arguments. Numbers from the kernel's unistd tables. */
export const REFUSED_CALLS: Readonly<Record<string, Numbers>> = {
  // Keyrings are not namespaced: a job would share those of the warden's user.
  add_key: [248, 217],
  request_key: [249, 218],
  keyctl: [250, 219],
  // Runs system calls that no filter sees, and has been the richest source of kernel escapes for years.
  io_uring_setup: [425, 425],
  io_uring_enter: [426, 426],
  io_uring_register: [427, 427],
  // Programs, counters and faults inside the kernel.
  bpf: [321, 280],
  perf_event_open: [298, 241],
  userfaultfd: [323, 282],
  // Other processes. The first process of an unprivileged sandbox has the job's own user id.
  ptrace: [101, 117],
  process_vm_readv: [310, 270],
  process_vm_writev: [311, 271],
  process_madvise: [440, 440],
  process_mrelease: [448, 448],
  pidfd_getfd: [438, 438],
  kcmp: [312, 272],
  move_pages: [279, 239],
  migrate_pages: [256, 238],
  // Mounts and roots, and opening files past them.
  mount: [165, 40],
  umount2: [166, 39],
  pivot_root: [155, 41],
  chroot: [161, 51],
  open_tree: [428, 428],
  move_mount: [429, 429],
  fsopen: [430, 430],
  fsconfig: [431, 431],
  fsmount: [432, 432],
  fspick: [433, 433],
  mount_setattr: [442, 442],
  statmount: [457, 457],
  listmount: [458, 458],
  open_by_handle_at: [304, 265],
  name_to_handle_at: [303, 264],
  fanotify_init: [300, 262],
  fanotify_mark: [301, 263],
  setns: [308, 268],
  // The machine itself.
  kexec_load: [246, 104],
  kexec_file_load: [320, 294],
  init_module: [175, 105],
  finit_module: [313, 273],
  delete_module: [176, 106],
  create_module: [174, null],
  query_module: [178, null],
  get_kernel_syms: [177, null],
  reboot: [169, 142],
  swapon: [167, 224],
  swapoff: [168, 225],
  acct: [163, 89],
  quotactl: [179, 60],
  quotactl_fd: [443, 443],
  syslog: [103, 116],
  settimeofday: [164, 170],
  clock_settime: [227, 112],
  clock_adjtime: [305, 266],
  adjtimex: [159, 171],
  sethostname: [170, 161],
  setdomainname: [171, 162],
  vhangup: [153, 58],
  iopl: [172, null],
  ioperm: [173, null],
  modify_ldt: [154, null],
  lsm_get_self_attr: [459, 459],
  lsm_set_self_attr: [460, 460],
  lsm_list_modules: [461, 461],
  // Left-overs nobody calls any more.
  uselib: [134, null],
  ustat: [136, null],
  sysfs: [139, null],
  _sysctl: [156, null],
  nfsservctl: [180, 42],
  lookup_dcookie: [212, 18],
  vserver: [236, null],
  memfd_secret: [447, 447],
};

/** Judged by their arguments; see the rules. */
export const JUDGED_CALLS = {
  clone: [56, 220],
  clone3: [435, 435],
  unshare: [272, 97],
  socket: [41, 198],
  socketpair: [53, 199],
  ioctl: [16, 29],
} as const satisfies Readonly<Record<string, Numbers>>;

/** The number of a call on `arch`; null where it does not exist. */
export const callNumber = (numbers: Numbers, arch: FilterArch): number | null => numbers[arch === 'x64' ? 0 : 1];
