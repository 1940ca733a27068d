import { describe, expect, it } from '@jest/globals';
import { diskReport } from '../limit-reports.ts';
import type { SandboxSpec } from '../sandbox-executor.ts';
import { specFor } from '../testing/open-sandbox.fixture.ts';
import { layersOfSandbox } from './layers-of-sandbox.ts';

/** Nothing is there, so nothing can be looked at: what is decided is decided by the spec. */
const NOWHERE = '/nowhere/at/all';

const diskOf = (offered: boolean, spec: Partial<SandboxSpec>, onClose: 'keep' | 'empty') =>
  layersOfSandbox([diskReport(offered)], specFor(NOWHERE, { workspace: { hostDir: NOWHERE, onClose }, ...spec }))[0]
    ?.state;

describe('the disk a sandbox has, by its spec alone', () => {
  it.each<[string, Partial<SandboxSpec>, 'enforced' | 'partial']>([
    ['a stranger', { trust: 'untrusted' }, 'enforced'],
    ['a stranger who does not insist', { trust: 'untrusted', minimum: {} }, 'enforced'],
    ['our own code', { trust: 'trusted' }, 'partial'],
    ['our own code that insists', { trust: 'trusted', minimum: { 'disk-limit': 'enforced' } }, 'enforced'],
    ['our own code that is content', { trust: 'trusted', minimum: { 'disk-limit': 'partial' } }, 'partial'],
  ])('given %s, then it is its own where the host can make one, unless the workspace is kept', (_, spec, state) => {
    expect(diskOf(true, spec, 'empty')).toBe(state);
    expect(diskOf(true, spec, 'keep')).toBe('partial');
    expect(diskOf(false, spec, 'empty')).toBe('partial');
  });
});
