import { describe, expect, it } from '@jest/globals';
import { aptReason, mirrorIn, privateAptConfig } from './debian-package.mjs';

const dump = [
  'Acquire::http::Proxy "http://proxy.invalid:3128";',
  'Dir::Etc::sourcelist "sources.list";',
  'Dir::Etc::main "apt.conf";',
  'Dir::Etc::parts "apt.conf.d";',
  'Dir::State "var/lib/apt";',
  'Dir::State::lists "lists/";',
  'Dir::Cache "var/cache/apt";',
  'DPkg::Post-Invoke:: "rm -f /var/cache/apt/archives/*.deb";',
  'APT::Update::Post-Invoke:: "rm -f /var/cache/apt/archives/*.deb";',
  'APT::Sandbox::User "_apt";',
].join('\n');

describe('apt for one package', () => {
  const config = privateAptConfig(dump, '/cache/x.apt').split('\n');

  it('keeps the machine’s sources and proxies', () => {
    expect(config).toContain('Acquire::http::Proxy "http://proxy.invalid:3128";');
    expect(config).toContain('Dir::Etc::sourcelist "sources.list";');
  });

  it('runs none of its hooks and reads no other configuration', () => {
    expect(config.filter((line) => line.includes('Invoke'))).toEqual([]);
    expect(config.filter((line) => /^Dir::Etc::(main|parts)/.test(line))).toEqual([
      'Dir::Etc::main "/dev/null";',
      'Dir::Etc::parts "/dev/null";',
    ]);
  });

  it('writes only below its own directory', () => {
    const places = config.filter((line) => /^Dir::(State|Cache|Log) /.test(line));
    expect(places).toEqual([
      'Dir::State "/cache/x.apt/state";',
      'Dir::Cache "/cache/x.apt/cache";',
      'Dir::Log "/cache/x.apt";',
    ]);
    expect(config.filter((line) => line.includes('var/lib/apt') || line.includes('var/cache'))).toEqual([]);
  });

  it('says why by what it could not fetch, or else by its first error', () => {
    const offline = 'W: Failed to fetch http://deb.invalid/x  Could not resolve\nE: Unable to locate package x\n';
    expect(aptReason(offline)).toBe('Failed to fetch http://deb.invalid/x  Could not resolve');
    expect(aptReason('W: warned\nE: Unable to locate package x\nE: consequence\n')).toBe('Unable to locate package x');
    expect(aptReason('killed\n')).toBe('killed');
  });
});

describe('the mirror a machine uses', () => {
  it('is that of the main archive, whatever else it has', () => {
    const asked = [
      'Example http://other.invalid/debian/',
      'Debian http://mirror.invalid/debian-security/',
      'Debian http://mirror.invalid/debian/',
    ];
    expect(mirrorIn(asked.join('\n'))).toBe('http://mirror.invalid/debian/');
  });

  it('is the public one where lists were never fetched, and nobody knows whose they are', () => {
    expect(mirrorIn(' http://mirror.invalid/debian/\n')).toBe('http://deb.debian.org/debian/');
  });
});
