import { execFile } from 'node:child_process';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { RecipeView, recipeIdOf } from '@delta-ci/contracts';
import { lintConfigFile } from '@delta-ci/planning';
import { aRecipe, aRecipeUnit } from '../../../../test/support/made-up/recipe.ts';
import { expectGolden } from '../golden.fixture.ts';
import { delta } from '../program.ts';
import { recorded } from '../recorded-surroundings.fixture.ts';

const TAUGHT_BY = `run_${'1'.repeat(32)}`;
const RECIPE_ID = recipeIdOf(TAUGHT_BY);
const AT = 1_760_000_000_000;
const toolchain = { name: 'node', version: '>=20', evidence: 'engines of package.json' };

const VIEW = RecipeView.parse({
  recipeId: RECIPE_ID,
  repository: 'github/demo/shop',
  fingerprint: `sha256:${'f'.repeat(64)}`,
  version: 2,
  digest: `sha256:${'d'.repeat(64)}`,
  rules: '8',
  learnedFrom: TAUGHT_BY,
  learnedAtMs: AT - 5 * 60_000,
  stale: null,
  recipe: aRecipe([aRecipeUnit('packages/cart', { toolchain }), aRecipeUnit('packages/money')]),
  current: true,
  successes: 3,
  converged: true,
});
const STALE = {
  ...VIEW,
  stale: { failedIn: `run_${'2'.repeat(32)}`, staledAtMs: AT - 60_000, reason: 'test-cart: no such command\u001b[2J' },
  current: false,
  converged: false,
};

describe('delta recipes', () => {
  let server: Server;
  let url = '';
  let body: unknown;
  const asked: string[] = [];

  beforeEach(async () => {
    asked.length = 0;
    server = createServer((request, response) => {
      asked.push(request.url ?? '');
      response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(body));
    });
    await new Promise<void>((done) => void server.listen(0, '127.0.0.1', done));
    url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  });
  afterEach(async () => new Promise((done) => server.close(done)));

  async function called(...args: string[]): Promise<{ exitCode: number; out: string; err: string }> {
    const { surroundings, out, err } = recorded('/', { DELTA_GATEWAY_URL: url, DELTA_TOKEN: 'not-a-secret' });
    const exitCode = await delta(['recipes', ...args], { ...surroundings, nowMs: () => AT });
    return { exitCode, out: out(), err: err() };
  }

  it('when they are listed, then state, version and age are shown, and nothing of them reaches a terminal raw', async () => {
    const { recipe: _, current: __, successes: ___, converged: ____, ...stale } = STALE;
    const { recipe: _r, current: _c, successes: _s, converged: _v, ...works } = VIEW;
    body = { recipes: [{ ...works, recipeId: recipeIdOf(`run_${'3'.repeat(32)}`) }, stale], nextCursor: 'next' };
    const { exitCode, out } = await called('list', '--repository', 'github/demo/shop');
    expect(exitCode).toBe(0);
    expect(asked).toEqual(['/api/v1/recipes?repository=github%2Fdemo%2Fshop&limit=20']);
    expectGolden('recipes-list', out);
    expect(JSON.parse((await called('list', '--json')).out)).toEqual(body);
    body = { recipes: [], nextCursor: null };
    expect((await called('list')).out).toBe('no recipes: the first successful run of a trusted change teaches one\n');
  });

  it('when one is shown, then its commands are, and what became of it', async () => {
    body = VIEW;
    expectGolden('recipes-show', (await called('show', RECIPE_ID)).out);
    expect(JSON.parse((await called('show', RECIPE_ID, '--json')).out)).toEqual(body);
    body = STALE;
    const { out } = await called('show', RECIPE_ID);
    expect(out).toContain('stale since 2025-10-09T08:52:20.000Z');
    expect(out).not.toContain('\u001b');
    expect(out).not.toContain('git apply');
  });

  it('when a patch is asked for, then git applies it, and the file is the one that is printed alone', async () => {
    body = VIEW;
    const directory = await mkdtemp(join(tmpdir(), 'delta-patch-'));
    try {
      const { exitCode, out } = await called('patch', RECIPE_ID);
      expect(exitCode).toBe(0);
      expectGolden('recipes-patch', out);
      const run = promisify(execFile);
      await run('git', ['init', '--quiet'], { cwd: directory });
      await writeFile(join(directory, 'x.patch'), out);
      await run('git', ['apply', 'x.patch'], { cwd: directory });
      const text = await readFile(join(directory, 'delta.yaml'), 'utf8');
      expect((await called('patch', RECIPE_ID, '--file')).out).toBe(text);
      expect(lintConfigFile(text, 'delta.yaml')).toEqual([]);
      expect(JSON.parse((await called('patch', RECIPE_ID, '--json')).out)).toEqual({
        recipeId: RECIPE_ID,
        path: 'delta.yaml',
        text,
        patch: out,
      });
    } finally {
      await rm(directory, { recursive: true, force: true });
    }
  });

  it.each([
    ['stale_recipe', STALE],
    ['recipe_lost', { ...VIEW, recipe: null }],
    ['not_converged', { ...VIEW, successes: 1, converged: false }],
  ])('given %s, when a patch is asked for, then it says why there is none, and ends with 2', async (code, view) => {
    body = view;
    const { exitCode, out } = await called('patch', RECIPE_ID, '--json');
    expect(exitCode).toBe(2);
    expect(JSON.parse(out)).toMatchObject({ error: { code } });
  });

  it('given one that has not led to success often enough, when it is asked for early, then it is printed', async () => {
    body = { ...VIEW, successes: 1, converged: false };
    expectGolden('error-not-converged', (await called('patch', RECIPE_ID)).err);
    expect((await called('patch', RECIPE_ID, '--early')).out).toContain('+++ b/delta.yaml');
  });
});
