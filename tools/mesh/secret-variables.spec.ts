import { describe, expect, it } from '@jest/globals';
import { secretVariables } from './secret-variables.ts';

const settings = (changes: object): string =>
  JSON.stringify({
    providers: {
      process: { kind: 'env' },
      mounted: { kind: 'files', directory: '/run/secrets' },
      store: { kind: 'vault', url: 'https://vault.example', auth: { tokenEnv: 'VAULT_TOKEN' } },
    },
    grants: [
      { repositories: ['github/a/b'], provider: 'process', secrets: { KEY: 'OCTO_KEY', OTHER: 'DELTA_TOKEN' } },
      { repositories: ['github/*'], provider: 'mounted', secrets: { NPM_TOKEN: 'npm/token' } },
    ],
    ...changes,
  });

describe('variables that hold secrets of jobs', () => {
  it('given grants of the process’s variables and a token of Vault, then these are named, and no setting of ours', () => {
    expect(secretVariables(settings({}))).toEqual(['OCTO_KEY', 'VAULT_TOKEN']);
  });

  it.each([
    ['no JSON', '{'],
    ['another shape', '[]'],
    ['a grant of nobody', settings({ providers: {} })],
  ])('given %s, then none is named', (_, text) => {
    expect(secretVariables(text)).toEqual([]);
  });
});
