import { describe, expect, it } from '@jest/globals';
import { parseCommandLine } from './command-line.mjs';

describe('the command line', () => {
  it.each([
    [[], { kind: 'set-up', name: 'set-up', command: [] }],
    [['test'], { kind: 'set-up', name: 'test', command: [] }],
    [
      ['test', '--', 'node', 'x.mjs', '--', '-t'],
      { kind: 'set-up', name: 'test', command: ['node', 'x.mjs', '--', '-t'] },
    ],
    [['--', 'env'], { kind: 'set-up', name: 'set-up', command: ['env'] }],
    [['doctor'], { kind: 'doctor', json: false }],
    [['doctor', '--json'], { kind: 'doctor', json: true }],
    [['--help'], { kind: 'usage', problem: null }],
    [['doctor', '--yaml'], { kind: 'usage', problem: 'doctor knows no --yaml' }],
    [['test', 'more'], { kind: 'usage', problem: 'unexpected more' }],
    [['--verbose'], { kind: 'usage', problem: 'unexpected --verbose' }],
    [['test', '--'], { kind: 'usage', problem: 'no command after --' }],
  ])('%j', (args, request) => {
    expect(parseCommandLine(args)).toEqual(request);
  });
});
