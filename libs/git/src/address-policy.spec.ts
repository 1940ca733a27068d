import { describe, expect, it } from '@jest/globals';
import { isPublicAddress, judgeAddresses, type AddressPolicy } from './address-policy.ts';
import { parseCloneUrl, type CloneUrl } from './clone-url.ts';
import { valueOf } from './made-repository.fixture.ts';

const PUBLIC_ONLY: AddressPolicy = { kind: 'public_only', alsoHosts: [] };

function remote(url: string): CloneUrl {
  return valueOf(parseCloneUrl(url, ['https', 'http', 'ssh', 'file']));
}

describe('addresses', () => {
  it.each([
    '0.0.0.0',
    '10.1.2.3',
    '100.64.0.1',
    '100.100.100.200',
    '127.0.0.1',
    '127.255.255.254',
    '169.254.169.254',
    '172.16.0.1',
    '172.31.255.255',
    '192.168.1.1',
    '198.18.0.1',
    '224.0.0.1',
    '255.255.255.255',
    '::',
    '::1',
    '::ffff:127.0.0.1',
    '::ffff:8.8.8.8',
    '::127.0.0.1',
    '64:ff9b::7f00:1',
    'fc00::1',
    'fd00:ec2::254',
    'fe80::1',
    'ff02::1',
    '2001::1',
    '2001:db8::1',
    '2002:7f00:1::',
    'not an address',
  ])('given %s, when judged, then it is not public', (address) => {
    expect(isPublicAddress(address)).toBe(false);
  });

  it.each(['8.8.8.8', '172.32.0.1', '172.15.255.255', '100.128.0.1', '2606:4700::1', '2a00:1450::1'])(
    'given %s, when judged, then it is public',
    (address) => {
      expect(isPublicAddress(address)).toBe(true);
    },
  );
});

describe('judging a remote', () => {
  const never = (): Promise<string[]> => Promise.reject(new Error('nobody should ask'));

  it('given a host with a private address among public ones, when judged, then it is refused', async () => {
    const judged = await judgeAddresses(remote('https://forge.example/o/r'), PUBLIC_ONLY, async () => [
      '8.8.8.8',
      '10.0.0.1',
    ]);
    expect(!judged.ok && judged.error.code).toBe('address_refused');
  });

  it('given public addresses, when judged, then exactly these are pinned', async () => {
    const judged = await judgeAddresses(remote('https://forge.example/o/r'), PUBLIC_ONLY, async () => [
      '8.8.8.8',
      '2606:4700::1',
    ]);
    expect(valueOf(judged)).toEqual(['8.8.8.8', '2606:4700::1']);
  });

  it('given an address instead of a name, when judged, then nobody is asked', async () => {
    const local = await judgeAddresses(remote('https://127.0.0.1/o/r'), PUBLIC_ONLY, never);
    expect(!local.ok && local.error.code).toBe('address_refused');
    const mapped = await judgeAddresses(remote('https://[::ffff:8.8.8.8]/o/r'), PUBLIC_ONLY, never);
    expect(!mapped.ok && mapped.error.code).toBe('address_refused');
    expect(valueOf(await judgeAddresses(remote('https://8.8.8.8/o/r'), PUBLIC_ONLY, never))).toEqual(['8.8.8.8']);
  });

  it('given a name without addresses, or a resolver that fails, when judged, then the remote is unreachable', async () => {
    const none = await judgeAddresses(remote('git@forge.example:o/r'), PUBLIC_ONLY, async () => []);
    expect(!none.ok && none.error.code).toBe('repository_unreachable');
    const failing = await judgeAddresses(remote('git@forge.example:o/r'), PUBLIC_ONLY, never);
    expect(!failing.ok && failing.error.code).toBe('repository_unreachable');
  });

  it('given a host that was named, a policy of any, or a file, when judged, then nothing is pinned', async () => {
    const named: AddressPolicy = { kind: 'public_only', alsoHosts: ['Forge.Internal'] };
    expect(valueOf(await judgeAddresses(remote('https://forge.internal/o/r'), named, never))).toBeUndefined();
    expect(valueOf(await judgeAddresses(remote('https://10.0.0.1/o/r'), { kind: 'any' }, never))).toBeUndefined();
    expect(valueOf(await judgeAddresses(remote('file:///srv/r'), PUBLIC_ONLY, never))).toBeUndefined();
  });
});
