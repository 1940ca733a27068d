import { parseArgs } from 'node:util';

export const PLACES = ['top', 'service', 'user-service'] as const;
export const MACHINES = ['kvm', 'uml', 'tcg'] as const;

/** Where in the guest's control groups the tests run, and as whom. */
export type Place = (typeof PLACES)[number];
/** QEMU with KVM, User-Mode Linux, QEMU that translates. */
export type Machine = (typeof MACHINES)[number];

export interface GuestOrder {
  readonly cgroups: 1 | 2;
  readonly place: Place;
  /** Tried in this order. */
  readonly machines: readonly Machine[];
  /** What Jest is given, or a command for a shell. */
  readonly work:
    { readonly kind: 'specs'; readonly paths: readonly string[] } | { readonly kind: 'command'; readonly text: string };
  /** Whether hostile jobs have to be among what is done. */
  readonly needsBattery: boolean;
  readonly limitMs: number;
  readonly fetch: boolean;
}

export type ParsedArguments =
  { readonly kind: 'boot'; readonly order: GuestOrder } | { readonly kind: 'usage'; readonly problem: string | null };

/** What is asked of every kernel: control groups themselves, the contract of executors, and hostile jobs as root and as anybody else. */
export const DEFAULT_SPECS: readonly string[] = ['libs/sandbox/src/cgroup', 'libs/sandbox/src/bubblewrap'];

const DEFAULT_MINUTES = 60;

export const USAGE = `npm run guest [-- options] [-- SPEC...]

Boots a kernel of Debian over this machine's own files, which it reads and does not change, and runs specs there: what depends on
the kernel (control groups, namespaces, filters) is tried with another one than this machine's. Without SPEC those of tier
sandbox and of control groups, hostile jobs among them. Kernels and QEMU are unpacked from packages of Debian, without root.
There is no network but loopback.

  --cgroups v2|v1     control groups as systemd mounts them: one tree (v2, the default), or one per controller
  --place PLACE       where in them the specs run, and as whom: top, root in the top group (the default); service, root in a
                      group that is delegated to it; user-service, nobody in such a group
  --command TEXT      runs this in a shell instead of specs
  --machine NAME      kvm, QEMU with KVM; uml, User-Mode Linux, a kernel as a program with one processor; tcg, QEMU that translates
                      instructions, ten to twenty times slower. Left out, the first of these with which the guest comes up
  --minutes N         the guest is ended after so long (${DEFAULT_MINUTES})
  --no-fetch          only with packages that are there already
  --help              this text

Exit codes: what ran there ended with, 0 being good; 1 also when no hostile job was carried out although no SPEC was
named; 2 for what was asked wrongly; 3 when no guest could be had, or it ended by itself or by the time limit.
`;

export function parseGuestArguments(args: readonly string[]): ParsedArguments {
  try {
    const { values, positionals } = parseArgs({ args: [...args], options: OPTIONS, allowPositionals: true });
    return values.help ? { kind: 'usage', problem: null } : { kind: 'boot', order: orderOf(values, positionals) };
  } catch (error) {
    return { kind: 'usage', problem: error instanceof Error ? error.message : String(error) };
  }
}

const OPTIONS = {
  cgroups: { type: 'string', default: 'v2' },
  place: { type: 'string', default: 'top' },
  command: { type: 'string' },
  machine: { type: 'string' },
  minutes: { type: 'string', default: String(DEFAULT_MINUTES) },
  'no-fetch': { type: 'boolean', default: false },
  help: { type: 'boolean', default: false },
} as const;

type Values = ReturnType<typeof parseArgs<{ options: typeof OPTIONS }>>['values'];

function orderOf(values: Values, paths: readonly string[]): GuestOrder {
  const { command } = values;
  if (command !== undefined && paths.length > 0) throw new Error('either specs or --command');
  const limitMs = Number(values.minutes) * 60_000;
  if (!Number.isInteger(limitMs) || limitMs <= 0) throw new Error('--minutes is a number above 0');
  const cgroups = oneOf('--cgroups', values.cgroups ?? '', ['v2', 'v1']) === 'v2' ? 2 : 1;
  const place = oneOf('--place', values.place ?? '', PLACES);
  if (cgroups === 1 && place !== 'top') throw new Error('groups are delegated in v2 alone: --place top with v1');
  const all = paths.length === 0;
  return {
    cgroups,
    place,
    machines: values.machine === undefined ? MACHINES : [oneOf('--machine', values.machine, MACHINES)],
    work:
      command === undefined
        ? { kind: 'specs', paths: all ? DEFAULT_SPECS : paths }
        : { kind: 'command', text: command },
    needsBattery: command === undefined && all,
    limitMs,
    fetch: !values['no-fetch'],
  };
}

function oneOf<const T extends string>(option: string, given: string, known: readonly T[]): T {
  const found = known.find((each) => each === given);
  if (found === undefined) throw new Error(`${option} is one of ${known.join(', ')}`);
  return found;
}
