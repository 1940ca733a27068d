import { describe, expect, it } from '@jest/globals';
import { judgeFacts, parseFacts, type Expected } from './sandbox-probe.ts';

const NONE = '0000000000000000';

/** What a sound sandbox answers. */
const SOUND = {
  Uid: '1900000001 1900000001 1900000001 1900000001',
  Groups: '',
  CapInh: NONE,
  CapPrm: NONE,
  CapEff: NONE,
  CapBnd: NONE,
  CapAmb: NONE,
  NoNewPrivs: '1',
  Seccomp: '2',
  'ns-pid': 'pid:[2]',
  'ns-mnt': 'mnt:[2]',
  'ns-ipc': 'ipc:[2]',
  'ns-uts': 'uts:[2]',
  'ns-net': 'net:[2]',
  'host-visible': 'no',
  'system-writable': 'no',
  'root-writable': 'no',
  'sys-writable': 'no',
  unmasked: '',
  keyctl: '1',
  interfaces: 'lo',
} as const;

const EXPECTED: Expected = {
  uid: 1_900_000_001,
  ownUid: true,
  hostKernel: 'Linux version 6.1',
  hostNamespaces: { pid: 'pid:[1]', mnt: 'mnt:[1]', ipc: 'ipc:[1]', uts: 'uts:[1]', net: 'net:[1]' },
  seccompErrno: 1,
  mechanism: 'test',
};

const judge = (changed: Readonly<Record<string, string>>, expected = EXPECTED): Readonly<Record<string, string>> => {
  const text = Object.entries({ ...SOUND, ...changed }).map(([name, value]) => `${name}=${value}`);
  return Object.fromEntries(
    judgeFacts(parseFacts(text.join('\n')), expected).map(({ layer, state }) => [layer, state]),
  );
};

const ALL = {
  filesystem: 'enforced',
  namespaces: 'enforced',
  network: 'enforced',
  identity: 'enforced',
  seccomp: 'enforced',
  'proc-masks': 'enforced',
};

describe('judging what a sandbox says of itself', () => {
  it('given sound answers, every layer is enforced', () => {
    expect(judge({})).toEqual(ALL);
  });

  it.each([
    ['filesystem', { 'host-visible': 'yes' }],
    ['filesystem', { 'system-writable': 'yes' }],
    ['filesystem', { 'root-writable': 'yes' }],
    ['namespaces', { 'ns-pid': 'pid:[1]' }],
    ['namespaces', { 'ns-ipc': 'ipc:[1]' }],
    ['namespaces', { 'ns-uts': '' }],
    ['network', { 'ns-net': 'net:[1]' }],
    ['network', { interfaces: 'loeth0' }],
    ['identity', { CapEff: '0000000000200000' }],
    ['identity', { CapBnd: '000001ffffffffff' }],
    ['identity', { NoNewPrivs: '0' }],
    ['identity', { Groups: '0' }],
    ['identity', { Uid: '1900000001 0 1900000001 1900000001' }],
    ['seccomp', { Seccomp: '0' }],
    ['seccomp', { keyctl: '0' }],
    ['seccomp', { keyctl: '159' }],
    ['proc-masks', { unmasked: '/proc/keys' }],
    ['proc-masks', { 'sys-writable': 'yes' }],
  ])('given %s answers of %j, that layer is missing and no other', (layer, changed) => {
    expect(judge(changed)).toEqual({ ...ALL, [layer]: 'missing' });
  });

  it('given no answers at all, nothing counts as enforced', () => {
    const states = judgeFacts(parseFacts(''), EXPECTED).map(({ state }) => state);
    expect(new Set(states)).toEqual(new Set(['missing']));
  });

  it("given the warden's own user behind it, identity holds in part", () => {
    expect(judge({}, { ...EXPECTED, ownUid: false })).toEqual({ ...ALL, identity: 'partial' });
  });

  it.each([
    ['1900000001 65534 65534', 'partial'],
    ['1900000001', 'partial'],
    ['1900000001 27', 'missing'],
    ['0', 'missing'],
  ] as const)("given the warden's own user behind it and groups %j, identity is %s", (Groups, identity) => {
    expect(judge({ Groups }, { ...EXPECTED, ownUid: false })).toEqual({ ...ALL, identity });
  });
});
