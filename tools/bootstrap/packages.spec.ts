import { describe, expect, it } from '@jest/globals';
import { npmCommand, npmReason, treeMatchesLock } from './packages.mjs';

const lock = {
  packages: {
    '': { version: '1.0.0' },
    'libs/a': { version: '0.1.0' },
    'node_modules/@delta/a': { link: true },
    'node_modules/left': { version: '1.2.3' },
    'node_modules/left-darwin': { version: '1.2.3', optional: true },
  },
};

describe('the installed tree against the lock file', () => {
  const tree = { packages: { 'libs/a': { version: '0.1.0' }, 'node_modules/left': { version: '1.2.3' } } };

  it('matches when all is there but other platforms’ optional packages, links and the root', () => {
    expect(treeMatchesLock(lock, tree)).toBe(true);
  });

  it('matches when more is installed than asked for', () => {
    const more = { packages: { ...tree.packages, 'node_modules/right': { version: '9.0.0' } } };
    expect(treeMatchesLock(lock, more)).toBe(true);
  });

  it.each([
    ['a package is missing', { 'libs/a': { version: '0.1.0' } }],
    ['a package has another version', { ...tree.packages, 'node_modules/left': { version: '1.2.4' } }],
    ['an optional package has another version', { ...tree.packages, 'node_modules/left-darwin': { version: '1' } }],
  ])('does not match when %s', (_case, packages) => {
    expect(treeMatchesLock(lock, { packages })).toBe(false);
  });
});

describe('npm', () => {
  it('is run by this Node when it says where its own script is', () => {
    const script = '/opt/node/lib/node_modules/npm/bin/npm-cli.js';
    expect(npmCommand(script)).toEqual({ command: process.execPath, args: [script] });
  });

  it.each([undefined, '/usr/bin/yarn.js'])('is looked up on PATH when started by %s', (execPath) => {
    expect(npmCommand(execPath)).toEqual({ command: 'npm', args: [] });
  });

  it('says why it failed in its first sentence', () => {
    const output = [
      'npm error code ENOTFOUND',
      'npm error errno ENOTFOUND',
      'npm error syscall getaddrinfo',
      'npm error network request to https://registry.invalid/left failed',
      'npm error A complete log of this run can be found in: /home/x/.npm/_logs/1.log',
    ].join('\n');
    expect(npmReason(output)).toBe('network request to https://registry.invalid/left failed');
    expect(npmReason('killed\n')).toBe('killed');
  });
});
