import { describe, expect, it } from '@jest/globals';
import { parseCommandLine } from './command-line.mjs';

describe('the command line', () => {
  it.each([
    [[], { kind: 'set-up', name: 'set-up', dockerMayServe: false, command: [] }],
    [['bench'], { kind: 'set-up', name: 'bench', dockerMayServe: false, command: [] }],
    [
      ['test', '--or-docker', '--', 'node', 'x.mjs', '--', '--help'],
      { kind: 'set-up', name: 'test', dockerMayServe: true, command: ['node', 'x.mjs', '--', '--help'] },
    ],
    [['--', 'env'], { kind: 'set-up', name: 'set-up', dockerMayServe: false, command: ['env'] }],
    [['doctor'], { kind: 'doctor', json: false }],
    [['doctor', '--json'], { kind: 'doctor', json: true }],
    [['--help'], { kind: 'usage', problem: null }],
    [['doctor', '--or-docker'], { kind: 'usage', problem: 'doctor knows no --or-docker' }],
    [['test', 'more'], { kind: 'usage', problem: 'test knows no more' }],
    [['--verbose'], { kind: 'usage', problem: 'set-up knows no --verbose' }],
    [['test', '--'], { kind: 'usage', problem: 'no command after --' }],
  ])('%j', (args, request) => {
    expect(parseCommandLine(args)).toEqual(request);
  });
});
