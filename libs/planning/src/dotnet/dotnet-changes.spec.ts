import { readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import { filesOfTree } from '../detectors/trees/tree-text.fixture.ts';
import { keysOf, planned } from '../planned-repository.fixture.ts';

const tree = readFileSync(new URL('../detectors/trees/dotnet-projects.tree.txt', import.meta.url), 'utf8');
const PROJECTS = filesOfTree(tree.slice(0, tree.indexOf('-- test/Money.Tests/Money.Bench.csproj --')));

function jobsAfter(path: string, from: string, to: string): string[] {
  const text = PROJECTS[path] ?? '';
  return keysOf(planned(PROJECTS, { ...PROJECTS, [path]: text.replace(from, to) }).jobs);
}

const MONEY = ['build-src-money', 'build-test-money-tests', 'test-test-money-tests'];

describe('a change among .NET projects', () => {
  it('of a file that a project takes from elsewhere runs that project and what refers to it', () => {
    expect(jobsAfter('src/Shared/Guard.cs', 'Guard', 'Guards')).toEqual(MONEY);
  });

  it('of what runs in its build runs it too', () => {
    expect(jobsAfter('src/Checker/Checker.fsproj', 'Sdk" />', 'Sdk"><PropertyGroup /></Project>')).toEqual([
      'build-src-checker',
      ...MONEY,
    ]);
  });

  it('of settings reaches the projects below them', () => {
    expect(jobsAfter('test/Directory.Build.props', 'Test.Sdk"', 'Test.Sdk" Version="1"')).toEqual(MONEY.slice(1));
    expect(jobsAfter('build/Common.props', 'Global', 'Local')).toEqual(['build-src-checker', ...MONEY]);
  });

  it('of how a package is described runs nothing', () => {
    expect(jobsAfter('src/Money/Money.csproj', 'Cents', 'Cents and more')).toEqual([]);
    expect(jobsAfter('src/Money/Money.csproj', 'net462', 'net48')).toEqual(MONEY);
  });

  it('of locked packages runs what they are locked for', () => {
    expect(jobsAfter('src/Money/packages.lock.json', 'aaaa', 'bbbb')).toEqual(MONEY);
    expect(jobsAfter('src/Money/packages.lock.json', '"Direct"', '"Transitive"')).toEqual([]);
  });
});
