import { enforced, missing, partial } from '../limit-reports.ts';
import type { Layer, LayerReport } from '../layers.ts';
import { CLOSED_PROC_FILES } from './host-system.ts';

/**
 * What a sandbox says about itself when it is asked from inside, and what that proves. Asked once per executor, of a
 * real sandbox, before any job: a host may have every mechanism and still refuse to apply one.
 */

/** The program (in the workspace) that calls keyctl and exits with its errno. */
export const KEYCTL_PROBE = 'keyctl-probe';

const quote = (text: string): string => `'${text.replaceAll("'", String.raw`'\''`)}'`;

const NAMESPACES = ['pid', 'mnt', 'ipc', 'uts', 'net'] as const;

const STATUS_FIELDS = ['Uid', 'Groups', 'CapInh', 'CapPrm', 'CapEff', 'CapBnd', 'CapAmb', 'NoNewPrivs', 'Seccomp'];

/** Prints one fact per line as `name=value`. `hostOnlyPath` exists on the host and must not be seen. */
export function probeScript(hostOnlyPath: string): string {
  return [
    `while IFS=: read -r name value; do case $name in ${STATUS_FIELDS.join('|')}) echo "$name=$value";; esac; done < /proc/self/status`,
    ...NAMESPACES.map((name) => `echo "ns-${name}=$(readlink /proc/self/ns/${name})"`),
    `echo "host-visible=$([ -e ${quote(hostOnlyPath)} ] && echo yes || echo no)"`,
    'echo "system-writable=$(touch /usr/.delta-probe 2>/dev/null && echo yes || echo no)"',
    'echo "root-writable=$(touch /.delta-probe 2>/dev/null && echo yes || echo no)"',
    'echo "sys-writable=$( (echo x > /proc/sys/kernel/domainname) 2>/dev/null && echo yes || echo no)"',
    `unmasked=; for f in ${CLOSED_PROC_FILES.map(quote).join(' ')}; do`,
    '  if [ -r "$f" ] && [ -n "$(head -c 1 "$f" 2>/dev/null | tr "\\0" x)" ]; then unmasked="$unmasked $f"; fi; done',
    'echo "unmasked=$unmasked"',
    `echo "keyctl=$(set +e; ./${KEYCTL_PROBE}; echo $?)"`,
    'echo "kernel=$(cat /proc/version)"',
    'echo "interfaces=$(grep : /proc/net/dev | cut -d: -f1 | tr -d " \\n")"',
    'echo complete=yes',
  ].join('\n');
}

export type ProbeFacts = ReadonlyMap<string, string>;

export const parseFacts = (output: string): ProbeFacts =>
  new Map(
    output.split('\n').flatMap((line): [string, string][] => {
      const at = line.indexOf('=');
      return at < 0
        ? []
        : [
            [
              line.slice(0, at),
              line
                .slice(at + 1)
                .trim()
                .replaceAll('\t', ' '),
            ],
          ];
    }),
  );

export type Expected = {
  readonly uid: number;
  readonly ownUid: boolean;
  /** The warden's own namespaces, by the names of `readlink /proc/self/ns/*`. */
  readonly hostNamespaces: Readonly<Record<string, string>>;
  /** What the host's kernel calls itself in /proc/version. */
  readonly hostKernel: string;
  readonly seccompErrno: number;
  readonly mechanism: string;
};

export const namespacesToCompare: readonly string[] = NAMESPACES;

const BUG = 'this is a defect: please report it with the output of `npx delta doctor`';

export const verdict = (layer: Layer, faults: readonly string[], by: string): LayerReport =>
  faults.length === 0 ? enforced(layer, by) : missing(layer, faults.join('; '), BUG);

export const unlessFact = (facts: ProbeFacts, name: string, wanted: string): readonly string[] =>
  facts.get(name) === wanted ? [] : [`${name} is ${facts.get(name) ?? 'unknown'} instead of ${wanted || 'empty'}`];

/** What a namespace shows for every group of the host that has no number inside (kernel.overflowgid). */
const UNMAPPED_GROUP = '65534';

/**
 * Groups a job must not have: any but the one that is its own, which container engines name once more. An ordinary
 * warden cannot clear the rest: a user namespace made without rights may not call setgroups, so its login's groups come
 * along, all without a number.
 */
const strangeGroups = (facts: ProbeFacts, { uid, ownUid }: Expected): readonly string[] => {
  const groups = facts.get('Groups');
  if (groups === undefined) return unlessFact(facts, 'Groups', '');
  const harmless = ['', String(uid), ...(ownUid ? [] : [UNMAPPED_GROUP])];
  const strange = groups.split(' ').filter((group) => !harmless.includes(group));
  return strange.length === 0 ? [] : [`Groups has ${strange.join(' ')}`];
};

const NO_CAPABILITY = '0000000000000000';
const CAPABILITY_SETS = ['CapInh', 'CapPrm', 'CapEff', 'CapBnd'];

/** Whether the step is the job's user with nothing more; `also` are faults the tier looks for besides, and what it says if it finds none. */
export function identityReport(
  facts: ProbeFacts,
  expected: Expected,
  also: readonly string[],
  by: string,
): LayerReport {
  const id = String(expected.uid);
  const faults = [
    ...CAPABILITY_SETS.flatMap((name) => unlessFact(facts, name, NO_CAPABILITY)),
    ...also,
    ...strangeGroups(facts, expected),
    ...unlessFact(facts, 'Uid', `${id} ${id} ${id} ${id}`),
  ];
  if (faults.length > 0) return missing('identity', faults.join('; '), BUG);
  return expected.ownUid
    ? enforced('identity', by)
    : partial(
        'identity',
        'no capabilities and no_new_privs, but outside its user namespace the job is this very user, with its groups',
        'run as root to give every sandbox a user id of its own',
      );
}

function namespaceReport(facts: ProbeFacts, expected: Expected, layer: Layer, names: readonly string[]): LayerReport {
  const shared = names.filter((name) => {
    const inside = facts.get(`ns-${name}`) ?? '';
    return inside === '' || inside === expected.hostNamespaces[name];
  });
  return verdict(
    layer,
    shared.map((name) => `${name} namespace is the host's`),
    expected.mechanism,
  );
}

/** Whether the step sees nothing of the warden's and writes nothing of the system's. */
export function filesystemReport(facts: ProbeFacts, { mechanism }: Expected): LayerReport {
  const faults = [
    ...unlessFact(facts, 'host-visible', 'no'),
    ...unlessFact(facts, 'system-writable', 'no'),
    ...unlessFact(facts, 'root-writable', 'no'),
  ];
  return verdict('filesystem', faults, `${mechanism}, read-only system`);
}

/** The layers as far as they can be told from inside; limits are told from outside. */
export function judgeFacts(facts: ProbeFacts, expected: Expected): readonly LayerReport[] {
  const seccomp = [...unlessFact(facts, 'Seccomp', '2'), ...unlessFact(facts, 'keyctl', String(expected.seccompErrno))];
  const network = namespaceReport(facts, expected, 'network', ['net']);
  return [
    filesystemReport(facts, expected),
    namespaceReport(facts, expected, 'namespaces', ['pid', 'mnt', 'ipc', 'uts']),
    network.state === 'enforced' ? verdict('network', unlessFact(facts, 'interfaces', 'lo'), network.by) : network,
    identityReport(
      facts,
      expected,
      [...unlessFact(facts, 'CapAmb', NO_CAPABILITY), ...unlessFact(facts, 'NoNewPrivs', '1')],
      'a user id per sandbox, no capabilities, no_new_privs',
    ),
    verdict('seccomp', seccomp, 'BPF filter'),
    verdict(
      'proc-masks',
      [...unlessFact(facts, 'unmasked', ''), ...unlessFact(facts, 'sys-writable', 'no')],
      'masks over /proc',
    ),
  ];
}
