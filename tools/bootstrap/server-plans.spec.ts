import { describe, expect, it } from '@jest/globals';
import { natsConfiguration } from './nats-server.mjs';
import { libraryLinks } from './postgres-binaries.mjs';
import { serverArguments } from './postgres.mjs';
import { whyItEnded } from './server-process.mjs';
import { sources } from './nats-server-program.mjs';

/** The `-c name=value` pairs of a command line. */
function settings(args: readonly string[]): Readonly<Record<string, string>> {
  const found: Record<string, string> = {};
  for (const pair of args.filter((_arg, index) => args[index - 1] === '-c')) {
    const [name = '', value = ''] = pair.split('=', 2);
    found[name] = value;
  }
  return found;
}

describe('the Postgres command line', () => {
  const plan = { dataDir: '/d', port: 5000, durable: true, settings: {} };

  it('listens on the loopback address only and makes no socket file', () => {
    expect(settings(serverArguments(plan))).toMatchObject({
      listen_addresses: '127.0.0.1',
      port: '5000',
      unix_socket_directories: '',
    });
  });

  it('waits for the disk unless the data is thrown away', () => {
    expect(settings(serverArguments(plan))).not.toHaveProperty('fsync');
    expect(settings(serverArguments({ ...plan, durable: false }))).toMatchObject({ fsync: 'off' });
  });

  it('lets settings of the caller win', () => {
    const args = serverArguments({ ...plan, settings: { max_connections: '20' } });
    expect(settings(args)).toMatchObject({ max_connections: '20' });
  });
});

describe('links between the carried libraries', () => {
  it('are relative, so the copy can be anywhere', () => {
    expect(libraryLinks([{ source: 'native/lib/libpq.so.5.17', target: 'native/lib/libpq.so.5' }])).toEqual([
      { link: 'lib/libpq.so.5', to: 'libpq.so.5.17' },
    ]);
  });

  it('never leave the copy', () => {
    const entries = [
      { source: 'native/lib/a', target: 'native/../../etc/a' },
      { source: '../../etc/passwd', target: 'native/lib/b' },
    ];
    expect(libraryLinks(entries)).toEqual([]);
  });
});

describe('the nats-server configuration', () => {
  it('names the server, where it listens, its store, and what the caller adds', () => {
    const text = natsConfiguration({
      name: 'n',
      listen: '127.0.0.1:4000',
      storeDir: '/a "b"/js',
      config: 'accounts {}',
    });
    expect(text).toContain('server_name: n\nlisten: 127.0.0.1:4000\n');
    expect(text).toContain('store_dir: "/a \\"b\\"/js"');
    expect(text.trim().endsWith('accounts {}')).toBe(true);
  });
});

describe('where nats-server is fetched from', () => {
  it.each([
    ['linux', 'x64'],
    ['linux', 'arm64'],
    ['darwin', 'x64'],
    ['darwin', 'arm64'],
  ])('is the release for %s-%s first, then the Debian package', (platform, arch) => {
    expect(sources({ platform, arch }).map(({ file }) => file)).toEqual(['nats-server', 'usr/sbin/nats-server']);
  });

  it('is the Debian package alone where the release is not pinned', () => {
    expect(sources({ platform: 'linux', arch: 'riscv64' }).map(({ name }) => name)).toEqual(['Debian package']);
  });
});

describe('why a server ended', () => {
  it.each([
    ['the fatal line of Postgres', 'LOG: x\nFATAL:  could not create any TCP/IP sockets\nLOG:  shut down\n', /^FATAL/],
    ['the fatal line of nats-server', '[INF] x\n[FTL] cannot listen\n', /FTL/],
    ['the last line otherwise', 'one\ntwo\n\n', /^two$/],
  ])('is %s', (_case, log, reason) => {
    expect(whyItEnded(log)).toMatch(reason);
  });
});
