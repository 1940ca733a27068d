import { describe, expect, it } from '@jest/globals';
import { whyNeverReached } from '@delta-ci/contracts';
import fc from 'fast-check';
import { readAllowList } from './allow-list.ts';
import {
  decideAddresses,
  decideGreeting,
  decideRequestedHost,
  decideTarget,
  type EgressPolicy,
} from './decide-egress.ts';
import { readTarget, type Target } from './host.ts';
import { readRanges } from './judge-address.ts';

const policyOf = (job: readonly string[], over: Partial<EgressPolicy> = {}): EgressPolicy => ({
  job: readAllowList(job).list,
  runner: readAllowList(['*', '[2606:4700::1111]', '1.1.1.1', '127.0.0.1', '169.254.169.254', '*.example.org:8443'])
    .list,
  permittedRanges: readRanges([]),
  ownAddresses: readRanges([]),
  ...over,
});

const at = (authority: string): Target => {
  const target = readTarget(authority, null);
  if (target === null) throw new Error(`${authority} is no target`);
  return target;
};

describe('which places a job may ask for', () => {
  it.each([
    ['registry.example.org', 'registry.example.org:443', null],
    ['registry.example.org', 'REGISTRY.example.ORG.:80', null],
    ['registry.example.org', 'registry.example.org:8443', 'not-listed'],
    ['registry.example.org', 'a.registry.example.org:443', 'not-listed'],
    ['registry.example.org', 'registry.example.org.evil.example:443', 'not-listed'],
    ['*.example.org', 'a.b.example.org:443', null],
    ['*.example.org', 'example.org:443', 'not-listed'],
    ['*.example.org', 'evilexample.org:443', 'not-listed'],
    ['*.example.org:8443', 'a.example.org:8443', null],
    ['*.example.org:8443', 'a.example.org:443', 'not-listed'],
    ['*', 'anything.example:443', null],
    ['*', 'anything.example:22', 'not-listed'],
    ['*', '1.1.1.1:443', 'not-listed'],
    ['1.1.1.1', '1.1.1.1:443', null],
    ['1.1.1.1', '0x1010101:443', null],
    ['1.1.1.1', '0001.01.257:443', null],
    ['[2606:4700::1111]', '[2606:4700:0:0::1111]:443', null],
    ['2606:4700::1111', '[2606:4700::1111]:443', 'not-listed'],
    ['*', '169.254.169.254:80', 'metadata-address'],
    ['*', '2852039166:80', 'metadata-address'],
    ['*', '[::ffff:a9fe:a9fe]:80', 'metadata-address'],
  ] as const)('given %s, %s: %s', (entry, asked, verdict) => {
    expect(decideTarget(policyOf([entry]), at(asked))).toBe(verdict);
  });

  it('given a runner that lets jobs reach less than the plan names, the runner has the last word', () => {
    const runner = readAllowList(['registry.example.org']).list;
    const policy = policyOf(['registry.example.org', 'other.example.org'], { runner });
    expect(decideTarget(policy, at('registry.example.org:443'))).toBeNull();
    expect(decideTarget(policy, at('other.example.org:443'))).toBe('beyond-policy');
  });

  it.each([
    '',
    'a b',
    'a..b',
    'host:0',
    'host:65536',
    'host:',
    'a/b',
    '[::1',
    '*.1.1.1.1',
    'a@b',
    '%61',
    'ünï.example',
    '[fe80::1%eth0]',
  ])('an entry %j is none, and allows nothing', (entry) => {
    expect(readAllowList([entry])).toEqual({ list: [], unread: [entry] });
  });

  it('law: what passes the check of a configuration file is read, whatever it is', () => {
    const part = fc.constantFrom(
      '*',
      '.',
      ':',
      '[',
      ']',
      '-',
      '_',
      '/',
      ' ',
      'a',
      'Example',
      'org',
      '10',
      '0x7f',
      '443',
      '::1',
      'é',
    );
    fc.assert(
      fc.property(fc.array(part, { maxLength: 8 }), (parts) => {
        const entry = parts.join('');
        fc.pre(whyNeverReached(entry) === null);
        expect(readAllowList([entry]).unread).toEqual([]);
      }),
      { numRuns: 2_000 },
    );
  });

  it('a longer list never allows less', () => {
    const entry = fc.constantFrom('a.example', '*.example', 'b.example:8443', '1.1.1.1', '*', 'nothing at all');
    const asked = fc.constantFrom('a.example:443', 'b.example:8443', 'c.d.example:80', '1.1.1.1:443', '10.0.0.1:443');
    fc.assert(
      fc.property(fc.array(entry), fc.array(entry), asked, (some, more, authority) => {
        const runner = readAllowList(['*', '*.example:8443', '1.1.1.1']).list;
        const few = decideTarget(policyOf(some, { runner }), at(authority));
        const many = decideTarget(policyOf([...some, ...more], { runner }), at(authority));
        return few !== null || many === null;
      }),
    );
  });
});

describe('which addresses a job may reach', () => {
  it.each([
    ['127.0.0.1', 'private-address'],
    ['10.1.2.3', 'private-address'],
    ['172.31.255.255', 'private-address'],
    ['192.168.0.1', 'private-address'],
    ['100.64.0.1', 'private-address'],
    ['169.254.1.1', 'private-address'],
    ['0.0.0.0', 'private-address'],
    ['224.0.0.1', 'private-address'],
    ['255.255.255.255', 'private-address'],
    ['::1', 'private-address'],
    ['::', 'private-address'],
    ['fe80::1', 'private-address'],
    ['fc00::1', 'private-address'],
    ['ff02::1', 'private-address'],
    ['64:ff9b::a00:1', 'private-address'],
    ['2002:7f00:1::', 'private-address'],
    ['::ffff:10.0.0.1', 'private-address'],
    ['::ffff:7f00:1', 'private-address'],
    ['::7f00:1', 'private-address'],
    ['no address', 'private-address'],
    ['169.254.169.254', 'metadata-address'],
    ['168.63.129.16', 'metadata-address'],
    ['100.100.100.200', 'metadata-address'],
    ['fd00:ec2::254', 'metadata-address'],
    ['::ffff:169.254.169.254', 'metadata-address'],
    ['1.1.1.1', null],
    ['172.32.0.1', null],
    ['::ffff:1.1.1.1', null],
    ['2606:4700::1111', null],
  ] as const)('%s: %s', (address, verdict) => {
    expect(decideAddresses(policyOf([]), [address])).toEqual(verdict === null ? null : { reason: verdict, address });
  });

  it('one bad address among many makes the name suspect', () => {
    expect(decideAddresses(policyOf([]), ['1.1.1.1', '2606:4700::1111', '10.0.0.1'])).toEqual({
      reason: 'private-address',
      address: '10.0.0.1',
    });
    expect(decideAddresses(policyOf([]), [])).toEqual({ reason: 'no-address' });
  });

  it("this host's own addresses are none of a job's, public or not", () => {
    const policy = policyOf([], { ownAddresses: readRanges(['8.8.8.8']) });
    expect(decideAddresses(policy, ['8.8.8.8'])?.reason).toBe('private-address');
  });

  it('what the operator permits may be reached, metadata services never', () => {
    const policy = policyOf([], { permittedRanges: readRanges(['0.0.0.0/0', '::/0']) });
    expect(decideAddresses(policy, ['10.0.0.1', '::1', '::ffff:127.0.0.1'])).toBeNull();
    expect(decideAddresses(policy, ['169.254.169.254'])?.reason).toBe('metadata-address');
    expect(decideAddresses(policy, ['fd00:ec2::254'])?.reason).toBe('metadata-address');
  });

  it.each(['10.0.0.0/33', '10.0.0.0/', '::/129', 'host/8', '10.0.0.0/8/8', ''])('%j is no range', (range) => {
    expect(() => readRanges([range])).toThrow('is no range of addresses');
  });

  it('an IPv4 address is judged alike however it is written', () => {
    fc.assert(
      fc.property(fc.ipV4(), (address) => {
        const direct = decideAddresses(policyOf([]), [address]);
        expect(decideAddresses(policyOf([]), [`::ffff:${address}`])?.reason).toBe(direct?.reason);
        const number = address.split('.').reduce((sum, part) => sum * 256 + Number(part), 0);
        expect(at(`${number}:443`).host).toEqual({ kind: 'address', text: address });
        expect(at(`0x${number.toString(16)}:443`).host).toEqual({ kind: 'address', text: address });
      }),
    );
  });
});

describe('what is said through a tunnel', () => {
  const tls = at('registry.example.org:443');
  it.each([
    [tls, { kind: 'hello', serverName: 'registry.example.org' }, null],
    [tls, { kind: 'hello', serverName: 'Registry.Example.org' }, null],
    [tls, { kind: 'hello', serverName: 'evil.example.org' }, 'server-name-mismatch'],
    [tls, { kind: 'hello', serverName: 'registry.example.org\0.evil' }, 'server-name-mismatch'],
    [tls, { kind: 'hello', serverName: null }, 'no-server-name'],
    [tls, { kind: 'not-tls' }, 'not-tls'],
    [at('registry.example.org:5432'), { kind: 'not-tls' }, null],
    [at('registry.example.org:8443'), { kind: 'hello', serverName: 'evil.example.org' }, 'server-name-mismatch'],
    [at('1.1.1.1:443'), { kind: 'hello', serverName: null }, null],
    [at('1.1.1.1:443'), { kind: 'hello', serverName: 'registry.example.org' }, 'server-name-mismatch'],
  ] as const)('%j, %j: %s', (target, hello, verdict) => {
    expect(decideGreeting(target, hello)).toBe(verdict);
  });

  it.each([
    ['registry.example.org:80', 'registry.example.org', null],
    ['registry.example.org:80', 'registry.example.org:80', null],
    ['registry.example.org:8080', 'registry.example.org', 'host-mismatch'],
    ['registry.example.org:80', 'evil.example.org', 'host-mismatch'],
    ['registry.example.org:80', undefined, 'host-mismatch'],
  ] as const)('a request to %s for %s: %s', (target, header, verdict) => {
    expect(decideRequestedHost(at(target), header)).toBe(verdict);
  });
});
