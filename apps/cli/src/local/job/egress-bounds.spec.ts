import { describe, expect, it } from '@jest/globals';
import { recorded } from '../../recorded-surroundings.fixture.ts';
import { egressBounds } from './egress-bounds.ts';

const boundsOf = (environment: Readonly<Record<string, string>>) =>
  egressBounds(recorded('/', environment).surroundings);

describe('what this machine lets jobs reach at most', () => {
  it('given no variable, then whatever plans name, on the public internet, and through no proxy of the person', () => {
    expect(boundsOf({ HTTPS_PROXY: 'http://proxy.example.test:3128' })).toMatchObject({
      allow: ['*'],
      ranges: [],
      upstream: null,
    });
  });

  it('given the variables of a runner, then these', () => {
    const bounds = boundsOf({
      DELTA_EGRESS_ALLOW: 'registry.example.test, *.example.org:8443',
      DELTA_EGRESS_RANGES: '10.1.0.0/16,fd00::/8',
      DELTA_EGRESS_UPSTREAM: 'http://someone:not-a-password@proxy.example.test:3128',
    });
    expect(bounds).toMatchObject({
      allow: ['registry.example.test', '*.example.org:8443'],
      ranges: ['10.1.0.0/16', 'fd00::/8'],
      upstream: { host: 'proxy.example.test', port: 3128, authorization: expect.stringMatching(/^Basic /) },
    });
  });

  it.each([
    ['DELTA_EGRESS_ALLOW', 'no host', '"no host" is no host'],
    ['DELTA_EGRESS_RANGES', '10.1.0.0/99', '10.1.0.0/99 is no range'],
    ['DELTA_EGRESS_UPSTREAM', 'https://someone:not-a-password@proxy', 'a proxy is http://[user:password@]host:port'],
    ['DELTA_EGRESS_UPSTREAM', 'http://a%zz:not-a-password@h:1', 'a proxy is http://[user:password@]host:port'],
    ['DELTA_EGRESS_UPSTREAM', 'proxy', 'a proxy is http://[user:password@]host:port'],
  ])('given %s=%s, then it is told what is wrong, and no password', (name, value, expected) => {
    expect(() => boundsOf({ [name]: value })).toThrow(expected);
    expect(() => boundsOf({ [name]: value })).not.toThrow('not-a-password');
  });

  it.each([
    ['DELTA_EGRES_RANGES', 'nothing reads the variable DELTA_EGRES_RANGES'],
    ['DELTA_EGRESS_ALOW', 'nothing reads the variable DELTA_EGRESS_ALOW'],
  ])('given %s, then it is refused: it may have been to forbid something', (name, expected) => {
    expect(() => boundsOf({ [name]: '' })).toThrow(expected);
  });

  it('given variables that are like none of these, or of a runner alone, then they are none of its business', () => {
    expect(boundsOf({ DELTA_EGRESS: 'proxy', DELTA_EXIT_WITH_PARENT: '1', DELTA_SECRETS_FILE: 'x' }).allow).toEqual([
      '*',
    ]);
  });
});
