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
    ['who wrote the lockfile', 'Gemfile.lock', '2.5.10', '2.5.11', []],
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

  it('given a hundred thousand lines that are nearly gems, then reading takes a moment', () => {
    const text = `GEM\n  specs:\n${`    a (${'('.repeat(50)}\n`.repeat(100_000)}DEPENDENCIES\n  a\n`;
    expect(readGemfileLock(text, '.')?.gems.size).toBe(0);
  });
});
