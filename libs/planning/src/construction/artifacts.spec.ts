import { describe, expect, it } from '@jest/globals';
import { aUnit } from '../made-up-unit.fixture.ts';
import type { UnitCommand } from '../model.ts';
import { artifactsOf } from './artifacts.ts';
import type { Member } from './assignments.ts';

function leaving(
  root: string,
  { reports = [], outputs = [] }: Partial<Pick<UnitCommand, 'reports' | 'outputs'>>,
): Member {
  const step = { name: 'test', run: 'x', workdir: root };
  const command: UnitCommand = { kind: 'test', step, evidence: '', text: '', reports, outputs, joins: null };
  return { unit: aUnit(root, { commands: [command] }), command };
}

const told = (...members: Member[]): string[] => artifactsOf(members).map(({ type, path }) => `${type} ${path}`);

describe('what is kept of a job', () => {
  it('given reports and outputs, then reports come first, as test reports, and all for two weeks', () => {
    const member = leaving('a', { reports: ['a/junit.xml'], outputs: ['a/bin/tool', 'a/coverage/*.info'] });
    expect(told(member)).toEqual(['junit a/junit.xml', 'file a/bin/tool', 'file a/coverage/*.info']);
    expect(artifactsOf([member]).every(({ retentionDays }) => retentionDays === 14)).toBe(true);
  });

  it('given several units, then each place is asked for once', () => {
    const one = leaving('a', { reports: ['out/junit.xml', 'a/junit.xml'] });
    expect(told(one, leaving('b', { reports: ['out/junit.xml'], outputs: ['a/junit.xml'] }))).toEqual([
      'junit a/junit.xml',
      'junit out/junit.xml',
    ]);
  });

  it('given whole folders, then they are not kept file by file', () => {
    expect(told(leaving('a', { outputs: ['a/dist/**', 'a/**/x.map', 'a/bin/tool'] }))).toEqual(['file a/bin/tool']);
  });

  it('given outputs that something is taken out of, then they are not kept with it', () => {
    expect(told(leaving('a', { outputs: ['a/.next/*', '!a/.next/cache', 'a/bin/tool'] }))).toEqual(['file a/bin/tool']);
    expect(told(leaving('a', { outputs: ['a/dist/*', 'a/x.map', 'a/x.js', '!**/*.map'] }))).toEqual(['file a/x.js']);
  });

  it('given places that no plan may hold, then the others are kept', () => {
    const reports = ['../up.xml', '/abs.xml', '', 'x'.repeat(5_000), 'a/../../up.xml', 'a/fine.xml'];
    expect(told(leaving('a', { reports }))).toEqual(['junit a/fine.xml']);
  });

  it('given reports of hundreds of units, then a pattern stands for them and none is lost', () => {
    const many = Array.from({ length: 400 }, (_, at) =>
      leaving(`m${at}`, { reports: [`m${at}/target/surefire-reports/TEST-*.xml`] }),
    );
    expect(told(...many)).toEqual(['junit **/TEST-*.xml']);
  });
});
