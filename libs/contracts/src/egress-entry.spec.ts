import { describe, expect, it } from '@jest/globals';
import { whyNeverReached } from './egress-entry.ts';

describe('entries of an allow-list', () => {
  it.each([
    '*',
    'registry.example.org',
    'Registry.Example.org:8443',
    '*.example.org',
    '*.example.org:8443',
    'under_score.example.org',
    'registry.example.org.',
    '*.example.org.:8443',
    'intranet',
    '192.0.2.7',
    '10.0.0.1:8443',
    '127.0.0.2:8443',
    '[2001:db8::7]',
    '[2001:db8::7]:8443',
  ])('%j may lead somewhere', (entry) => {
    expect(whyNeverReached(entry)).toBeNull();
  });

  it.each([
    ['https://registry.example.org/', 'no URL: registry.example.org'],
    ['https://registry.example.org:8443/npm', 'no URL: registry.example.org:8443'],
    ['://', 'no URL'],
    ['10.0.0.0/8', 'DELTA_EGRESS_RANGES'],
    ['registry.example.org/npm', 'expected a host'],
    ['foo bar', 'expected a host such as'],
    ['', 'expected a host such as'],
    ['a..b', 'expected a host such as'],
    ['a..', 'expected a host such as'],
    ['.', 'expected a host such as'],
    ['-a.example.org', 'expected a host such as'],
    ['*example.org', 'expected a host such as'],
    ['*.*.example.org', 'expected a host such as'],
    ['*.10.0.0.1', 'expected a host such as'],
    ['999.1.1.1', 'expected a host such as'],
    ['0x7f.1', 'expected a host such as'],
    ['2001:db8::7', 'expected a port'],
    ['registry.example.org:', 'expected a port from 1 to 65535'],
    ['registry.example.org:0', 'expected a port from 1 to 65535'],
    ['registry.example.org:65536', 'expected a port from 1 to 65535'],
    ['localhost:3000', 'its own loopback'],
    ['127.0.0.1', 'its own loopback'],
    ['[::1]:80', 'its own loopback'],
    ['169.254.169.254', 'metadata'],
    ['100.100.100.200:80', 'metadata'],
    ['[fd20:ce::254]', 'metadata'],
    ['[FD00:EC2::254]', 'metadata'],
  ])('%j never does', (entry, why) => {
    expect(whyNeverReached(entry)).toContain(why);
  });
});
