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

  it.each([
    ['the version of a package', '<PackageReference Include="Far"><Version>1</Version></PackageReference>'],
    [
      'a property that another takes',
      '</ItemGroup><PropertyGroup><Company>1</Company><Other>$(Company)</Other></PropertyGroup><ItemGroup>',
    ],
  ])('of %s runs what is made with it', (_what, item) => {
    const before = { 'a/A.csproj': `<Project><ItemGroup>${item}</ItemGroup></Project>` };
    const after = { 'a/A.csproj': before['a/A.csproj'].replace('>1<', '>2<') };
    expect(keysOf(planned(before, after).jobs)).toEqual(['build-a']);
  });

  it.each([
    [
      'by settings of all',
      'Directory.Build.props',
      '<ProjectReference Include="$(MSBuildThisFileDirectory)src\\Checker\\Checker.fsproj" />',
    ],
    [
      'by settings of all, as seen from each',
      'src/Directory.Build.targets',
      '<ProjectReference Include="..\\Checker\\Checker.fsproj" />',
    ],
    [
      'by settings that are imported',
      'build/Common.props',
      '<ProjectReference Include="$(MSBuildThisFileDirectory)../src/Checker/Checker.fsproj" />',
    ],
  ])('of a project that others are given %s runs them', (_how, path, item) => {
    const files = {
      'src/Checker/Checker.fsproj': '<Project />',
      'src/Other/Other.csproj': '<Project />',
      [path]: `<Project><ItemGroup>${item}</ItemGroup></Project>`,
    };
    expect(keysOf(planned(files, { ...files, 'src/Checker/a.fs': 'a' }).jobs)).toEqual([
      'build-src-checker',
      'build-src-other',
    ]);
  });

  it.each([
    ['a library', '<ItemGroup><Reference Include="A"><HintPath>..\\lib\\A.dll</HintPath></Reference></ItemGroup>'],
    ['a folder', '<PropertyGroup><Texts>../lib/</Texts></PropertyGroup>'],
    ['a tool', '<UsingTask TaskName="A" AssemblyFile="../lib/A.dll" />'],
  ])('of %s that a project takes from another runs both', (_what, item) => {
    const files = { 'lib/L.csproj': '<Project />', 'lib/A.dll': 'a', 'app/A.csproj': `<Project>${item}</Project>` };
    expect(keysOf(planned(files, { ...files, 'lib/A.dll': 'b' }).jobs)).toEqual(['build-app', 'build-lib']);
  });

  it('of anything runs projects whose settings name more than is followed', () => {
    const items = Array.from({ length: 600 }, (_, at) => `<ProjectReference Include="../${at}.csproj" />`).join('');
    const files = {
      'lib/L.csproj': '<Project />',
      'app/A.csproj': '<Project />',
      'app/Directory.Build.props': `<Project><ItemGroup>${items}</ItemGroup></Project>`,
    };
    expect(keysOf(planned(files, { ...files, 'lib/a.cs': 'b' }).jobs)).toEqual(['build-app', 'build-lib']);
  });
});
