import { describe, expect, it } from '@jest/globals';
import { EgressDecision } from '@delta-ci/contracts';
import { expectGolden } from '../golden.fixture.ts';
import { recorded } from '../recorded-surroundings.fixture.ts';
import { egressText } from './egress-text.ts';

describe('what a run says of the connections of its jobs', () => {
  it('tells of each decision in a line, and of the last attempt alone', () => {
    const counted = { count: 3, sentBytes: 2_048, receivedBytes: 5 * 1024 * 1024 };
    const none = { count: 1, sentBytes: 0, receivedBytes: 0 };
    const egress = [
      { host: 'registry.example.org', port: 443, decision: 'allowed', reason: null, ...counted },
      { host: 'evil.example.org', port: 443, decision: 'refused', reason: 'not-listed', ...none },
      { host: '2001:db8::7', port: 80, decision: 'failed', reason: 'unreachable', ...none },
      { host: null, port: null, decision: 'refused', reason: 'not-http', ...none },
      { host: null, port: null, decision: 'others', reason: null, ...none, count: 40 },
    ].map((decision) => EgressDecision.parse(decision));
    const jobs = [
      { key: 'unit', attempts: [{ report: { egress: egress.slice(1, 2) } }, { report: { egress } }] },
      { key: 'lint', attempts: [{ report: {} }] },
      { key: 'late', attempts: [{ report: null }] },
    ];
    const { surroundings } = recorded('/', {}, 100);
    expectGolden('egress-of-a-run', egressText(surroundings, jobs));
    expect(egressText(surroundings, jobs.slice(1))).toBe('');
  });
});
