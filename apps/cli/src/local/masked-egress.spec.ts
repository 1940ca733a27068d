import { describe, expect, it } from '@jest/globals';
import type { EgressDecision } from '@delta-ci/contracts';
import { SecretMasker } from '@delta-ci/service';
import { JobOutput } from './job-output.ts';
import { maskedEgress } from './masked-egress.ts';

const decision: EgressDecision = {
  host: 'db.example.org',
  port: 443,
  decision: 'refused',
  reason: 'private-address',
  address: '10.20.0.8',
  count: 1,
  sentBytes: 0,
  receivedBytes: 0,
};

const masked = (...secrets: readonly string[]): EgressDecision | undefined =>
  maskedEgress([decision], new JobOutput(new SecretMasker(secrets), () => undefined))?.[0];

describe('decisions about connections of a job with secrets', () => {
  it('given a secret in a name, or in the address that it has, then it is not told', () => {
    expect(masked('db.example')).toEqual({ ...decision, host: '***.org' });
    expect(masked('10.20.0.8')).toEqual({ ...decision, address: '***' });
    expect(masked('something else')).toEqual(decision);
  });
});
