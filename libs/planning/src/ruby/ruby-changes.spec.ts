import { readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import { filesOfTree } from '../detectors/trees/tree-text.fixture.ts';
import { changedIn } from '../change-in-tree.fixture.ts';
import { readGemfileLock } from './gemfile-lock.ts';

const PROGRAMS = filesOfTree(
  readFileSync(new URL('../detectors/trees/ruby-programs.tree.txt', import.meta.url), 'utf8'),
);
const jobs = changedIn(PROGRAMS);
const ALL = ['lint', 'test', 'test-engines-billing', 'test-gems-clock'];

describe('a change among programs of Ruby', () => {
  it.each<[what: string, path: string, from: string, to: string, jobs: readonly string[]]>([
    ['a source of an engine', 'engines/billing/lib/billing.rb', 'Billing', 'Bills', ALL],
    ['a source of a gem by itself', 'gems/clock/test/test_clock.rb', 'Clock', 'Clocks', ['lint', 'test-gems-clock']],
    [
      'what a locked gem needs in turn',
      'Gemfile.lock',
      'i18n (1.14.5)',
      'i18n (1.15.0)',
      ['lint', 'test', 'test-engines-billing', 'test-gems-clock'],
    ],
    ['a locked gem that tests of an engine may use', 'Gemfile.lock', 'racc (1.8.0)', 'racc (1.8.1)', ALL],
    ['the revision of a gem from elsewhere', 'Gemfile.lock', '0123456789', '9876543210', ALL],
    ['the bundler of a lockfile', 'Gemfile.lock', '2.5.10', '2.5.11', ALL],
    ['a platform of a lockfile', 'Gemfile.lock', '\n  x86_64-linux\n', '\n  x86_64-linux-musl\n', ALL],
    ['a Gemfile', 'Gemfile', '# none', '', []],
    ['settings of the linter', '.rubocop.yml', '{}', '{ NewCops: enable }', ['lint']],
    ['the version of Ruby', '.ruby-version', '3.3.1', '3.3.2', ALL],
    ['what a gem says to people', 'engines/billing/billing.gemspec', '"Bills"', '"Bills and more"', []],
    ['what a gem needs', 'engines/billing/billing.gemspec', '"~> 6"', '"~> 7"', ALL],
  ])('given %s, then the jobs are right', (_what, path, from, to, expected) => {
    expect(jobs(path, from, to)).toEqual(expected);
  });

  it('given a lockfile that cannot be read any more, then all that is installed from it runs', () => {
    expect(jobs('Gemfile.lock', 'DEPENDENCIES', '<<<<<<< ours')).toEqual(ALL);
  });

  it('given a long line of a Gemfile, then a change at its end is one', () => {
    const gem = `gem "rubocop", require: [${'"rubocop", '.repeat(300)}"a"]`;
    const files = { ...PROGRAMS, Gemfile: (PROGRAMS['Gemfile'] ?? '').replace('gem "rubocop"', gem) };
    expect(changedIn(files)('Gemfile', '"a"]', '"b"]')).toEqual(ALL);
  });

  it('given one of several checksums of a gem that changes, then the gem does', () => {
    const lockOf = (checksum: string): string =>
      `GEM\n  specs:\n    a (1)\n    a (1-java)\n\nDEPENDENCIES\n  a\n\nCHECKSUMS\n  a (1) sha256=${checksum}\n  a (1-java) sha256=c\n`;
    const [one, other] = ['a', 'b'].map((checksum) => readGemfileLock(lockOf(checksum), '.')?.gems.get('a')?.identity);
    expect(one).not.toBe(other);
  });

  it('given one gem two hundred thousand times, then it is read once for each', () => {
    const text = `GEM\n  remote: a\n  specs:\n${'    a (1)\n      b\n'.repeat(200_000)}DEPENDENCIES\n  a\n`;
    expect(readGemfileLock(text, '.')?.gems.get('a')?.next).toEqual(['b']);
    expect(readGemfileLock(text.replace('remote: a', `remote: ${'a'.repeat(100_000)}`), '.')).toBeNull();
  });

  it('given a hundred thousand lines that are nearly gems, then reading takes a moment', () => {
    const text = `GEM\n  specs:\n${`    a (${'('.repeat(50)}\n`.repeat(100_000)}DEPENDENCIES\n  a\n`;
    expect(readGemfileLock(text, '.')?.gems.size).toBe(0);
  });
});
