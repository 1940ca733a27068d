import { describe, expect, it } from '@jest/globals';
import { aPlannedJob } from '../../../../../test/support/made-up/planned-job.ts';
import { networkFor, type NetworkChoice } from './job-network.ts';

const HOST = 'registry.example.test';
const BOUNDS = { allow: ['*'], ranges: [], upstream: null, resolve: async () => [] };

function shown(allow: readonly string[], choice: NetworkChoice): unknown {
  const job = aPlannedJob('unit', { egress: { allow: [...allow] } });
  const given = networkFor(job, choice, BOUNDS, () => undefined);
  given.close();
  return [typeof given.network === 'string' ? given.network : 'these hosts', given.decisions()];
}

describe('which network a job of a local run gets', () => {
  it.each<[string, readonly string[], NetworkChoice, unknown]>([
    ['names none', [], 'plan', ['none', null]],
    ['names none, where others get the whole network', [], 'host', ['none', null]],
    ['names none, where others get none', [], 'none', ['none', null]],
    ['names one', [HOST], 'plan', ['these hosts', []]],
    ['names one, where it is to get the whole network', [HOST], 'host', ['host', null]],
    ['names one, where it must not', [HOST], 'none', ['none', null]],
  ])('a job whose plan %s', (_, allow, choice, expected) => {
    expect(shown(allow, choice)).toEqual(expected);
  });

  it('an entry that is no host is told of', () => {
    const said: string[] = [];
    const job = aPlannedJob('unit', { egress: { allow: ['no host'] } });
    networkFor(job, 'plan', BOUNDS, (line) => said.push(line)).close();
    expect(said).toEqual(['egress: "no host" is no host, and allows nothing']);
  });
});
